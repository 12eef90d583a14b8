#include <linux/ipv6_route.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>
#include <string>

#include <hawser/base/fd.h>
#include <hawser/net/interfaces.h>
#include <hawser/net/socket.h>

#include "both_contexts.h"
#include "network_namespace.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class multicast_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(multicast_in);

// Sends to the group, and looks who hears it.
void meet(const char* host, const char* any) {
  Socket members[2];
  int port = 0;
  for (Socket& member : members) {
    member = Socket(Address::ip(any, 0).family(), SOCK_DGRAM);
    member.set(option::reuse_address, true);
    member.bind(Address::ip(any, port));
    port = member.sock_name().port();
    member.join_group(Address::ip(host, 0), "lo");
  }
  const Address group = Address::ip(host, port);
  Socket sender(group.family(), SOCK_DGRAM);
  sender.set(option::multicast_interface, InterfaceName{"lo"});
  sender.send_to("to all", group);
  for (Socket& member : members) {
    member.set_timeout(10s);
    EXPECT_EQ(member.recv_from().data, "to all") << host;
  }
  members[0].leave_group(group, "lo");
  EXPECT_THROW(members[0].leave_group(group, "lo"), SystemError);
  sender.send_to("to the rest", group);
  EXPECT_EQ(members[1].recv_from().data, "to the rest");
  EXPECT_FALSE(members[0].try_recv_from());
}

TEST_P(multicast_in, members_hear_what_is_sent_to_the_group_until_they_leave) {
  in_context([] { meet("239.255.17.3", "0.0.0.0"); });
}

// A route that a loopback interface lacks: all multicast of IPv6.
bool route_multicast_to_loopback() {
  const UniqueFd probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  in6_rtmsg route{};
  route.rtmsg_dst.s6_addr[0] = 0xFF;
  route.rtmsg_type = RTN_MULTICAST;
  route.rtmsg_dst_len = 8;
  route.rtmsg_metric = 256;
  route.rtmsg_flags = 1 | RTF_LOCAL;  // RTF_UP, whose header clashes with this one's; others end in a refusal
  route.rtmsg_ifindex = static_cast<int>(::if_nametoindex("lo"));
  return ::ioctl(probe.get(), SIOCADDRT, &route) == 0;
}

void join_where_nothing_leads(const char* host) {
  const Address group = Address::ip(host, 4242);
  Socket member(AF_INET6, SOCK_DGRAM);
  member.join_group(group, "lo");
  EXPECT_THROW(member.join_group(group, "lo"), SystemError);
  member.set(option::multicast_interface, InterfaceName{"lo"});
  try {
    member.send_to("to nobody", group);
  } catch (const SystemError& error) {
    EXPECT_NE(std::string(error.what()).find("send_to [ff01::1703]:4242"), std::string::npos) << error.what();
  }
  member.leave_group(group, "lo");
  EXPECT_THROW(member.leave_group(group, "lo"), SystemError);
}

TEST_P(multicast_in, the_same_by_ipv6) {
  const bool done = testing::in_own_network([this] {
    ASSERT_TRUE(route_multicast_to_loopback());
    in_context([] { meet("ff01::1703", "::"); });
  });
  // Where we may not have one, nothing leads from a loopback interface to its groups: what is left to see is that
  // joining and leaving is kept, and that the error of a datagram names where it could not go.
  if (!done) in_context([] { join_where_nothing_leads("ff01::1703"); });
}

TEST(multicast, options_read_back_what_was_set) {
  for (const int family : {AF_INET, AF_INET6}) {
    Socket socket(family, SOCK_DGRAM);
    socket.set(option::multicast_hops, 7);
    EXPECT_EQ(socket.get(option::multicast_hops), 7);
    socket.set(option::hops, 9);
    EXPECT_EQ(socket.get(option::hops), 9);
    for (const bool on : {false, true}) {
      socket.set(option::multicast_loop, on);
      EXPECT_EQ(socket.get(option::multicast_loop), on);
    }
    EXPECT_EQ(socket.get(option::multicast_interface).name, "");
    socket.set(option::multicast_interface, InterfaceName{"lo"});
    EXPECT_EQ(socket.get(option::multicast_interface).name, "lo");
    EXPECT_THROW(socket.set(option::multicast_hops, 1000), SystemError);
  }
}

TEST(multicast, errors_name_what_is_wrong) {
  Socket socket(AF_INET, SOCK_DGRAM);
  EXPECT_THROW(socket.join_group(Address::ip("127.0.0.1", 0)), std::invalid_argument);
  try {
    socket.join_group(Address::ip("239.1.2.3", 0), "nowhere7");
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(), "setsockopt MCAST_JOIN_GROUP nowhere7: No such device");
  }
  socket.join_group(Address::ip("239.1.2.3", 0), "lo");
  try {
    socket.join_group(Address::ip("239.1.2.3", 0), "lo");
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(), "setsockopt MCAST_JOIN_GROUP 239.1.2.3 on lo: Address already in use");
  }
}

TEST(multicast, broadcast_needs_its_option) {
  Socket receiver(AF_INET, SOCK_DGRAM), sender(AF_INET, SOCK_DGRAM);
  receiver.bind(Address::ip("0.0.0.0", 0));
  receiver.set_timeout(10s);
  const Address everybody = Address::ip("127.255.255.255", receiver.sock_name().port());
  EXPECT_THROW(sender.send_to("x", everybody), SystemError);
  sender.set(option::broadcast, true);
  sender.send_to("to all", everybody);
  EXPECT_EQ(receiver.recv_from().data, "to all");
}

TEST(interfaces, addresses_with_a_label_belong_to_their_interface) {
  const bool done = testing::in_own_network([] {
    const UniqueFd probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const Address labelled = Address::ip("10.9.9.9", 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo:1");
    std::memcpy(&request.ifr_addr, labelled.data(), labelled.size());
    ASSERT_EQ(::ioctl(probe.get(), SIOCSIFADDR, &request), 0);
    const auto all = interfaces();
    EXPECT_EQ(std::ranges::count(all, ::if_nametoindex("lo"),
                                 [](const Interface& each) { return static_cast<unsigned>(each.index); }),
              1);
    EXPECT_EQ(std::ranges::count(interface_named("lo").addresses, labelled, &InterfaceAddress::address), 1);
    EXPECT_THROW(static_cast<void>(interface_named("lo:1")), SystemError);
  });
  if (!done) GTEST_SKIP() << "this system lets us have no network of our own";
}

TEST(interfaces, loopback_is_one_of_them) {
  const auto all = interfaces();
  ASSERT_FALSE(all.empty());
  const Interface lo = interface_named("lo");
  EXPECT_TRUE(lo.is_loopback());
  EXPECT_TRUE(lo.is_up());
  EXPECT_TRUE(lo.is_running());
  EXPECT_FALSE(lo.is_point_to_point());
  EXPECT_FALSE(lo.has_broadcast());
  EXPECT_GT(lo.index, 0);
  EXPECT_GT(lo.mtu, 1000);
  EXPECT_EQ(lo.hardware_address, "");
  bool found = false;
  for (const InterfaceAddress& each : lo.addresses) {
    EXPECT_TRUE(each.address.is_ip());
    if (each.address != Address::ip("127.0.0.1", 0)) continue;
    found = true;
    EXPECT_EQ(each.netmask, Address::ip("255.0.0.0", 0));
    EXPECT_EQ(each.prefix_length, 8);
    EXPECT_FALSE(each.broadcast);
  }
  EXPECT_TRUE(found);
  try {
    static_cast<void>(interface_named("nowhere7"));
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), ENODEV);
  }
}

}  // namespace
}  // namespace hawser
