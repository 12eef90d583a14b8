#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include <hawser/net/can.h>
#include <hawser/net/connect.h>
#include <hawser/net/listener.h>
#include <hawser/net/socket.h>

#include "both_contexts.h"
#include "privileges.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class families_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(families_in);

TEST_P(families_in, dual_stack_listener_hears_both) {
  in_context([] {
    Listener listener({"::", 0}, {.dual_stack = true});
    const int port = listener.address().port();
    Socket v4 = connect({"127.0.0.1", port}), v6 = connect({"::1", port});
    Socket first = listener.accept(5s), second = listener.accept(5s);
    EXPECT_TRUE(first.peer_name().is_v4_mapped());
    EXPECT_FALSE(second.peer_name().is_v4_mapped());
    EXPECT_TRUE(first.peer_name().is_loopback());
  });
}

TEST_P(families_in, dual_stack_datagrams) {
  in_context([] {
    Socket server(AF_INET6, SOCK_DGRAM);
    server.set(option::ipv6_only, false);
    server.bind(Address::ip("::", 0));
    Socket client(AF_INET, SOCK_DGRAM);
    client.send_to("x", Address::ip("127.0.0.1", server.sock_name().port()));
    const Datagram datagram = server.recv_from();
    EXPECT_TRUE(datagram.from.is_v4_mapped());
    server.send_to("y", datagram.from);
    EXPECT_EQ(client.recv(10), "y");
    try {
      server.send_to(std::string(kUdpPayloadLimit + 1, 'x'), datagram.from);
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_NE(std::string(error.what()).find("65507"), std::string::npos) << error.what();
    }
  });
}

TEST_P(families_in, adoption_finds_out_every_kind) {
  in_context([] {
    struct Kind {
      int family, type, protocol;
    };
    for (const auto& [family, type, protocol] :
         {Kind{AF_INET, SOCK_DGRAM, IPPROTO_UDP}, Kind{AF_INET6, SOCK_STREAM, IPPROTO_TCP},
          Kind{AF_INET6, SOCK_DGRAM, IPPROTO_UDP}, Kind{AF_UNIX, SOCK_STREAM, 0}, Kind{AF_UNIX, SOCK_DGRAM, 0},
          Kind{AF_UNIX, SOCK_SEQPACKET, 0}}) {
      Socket made(family, type);
      EXPECT_EQ(made.protocol(), protocol);
      Socket adopted(made.detach());
      EXPECT_EQ(adopted.family(), family);
      EXPECT_EQ(adopted.type(), type);
      EXPECT_EQ(adopted.protocol(), protocol);
    }
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);  // blocking, inherited by children
    Socket a{UniqueFd(fds[0])}, b{UniqueFd(fds[1])};
    a.send("");
    EXPECT_TRUE(b.recv_from().data.empty());
    EXPECT_FALSE(b.try_recv_from());
  });
}

TEST(families, what_the_kernel_lacks_is_one_clear_error) {
  for (const int family : {AF_CAN, AF_RDS, AF_APPLETALK}) {
    try {
      Socket socket(family,
                    family == AF_CAN   ? SOCK_RAW
                    : family == AF_RDS ? SOCK_SEQPACKET
                                       : SOCK_DGRAM,
                    family == AF_CAN ? CAN_RAW : 0);
      EXPECT_EQ(socket.family(), family);  // a kernel that has it
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EAFNOSUPPORT) << error.what();
      EXPECT_NE(std::string(error.what()).find("not in this kernel"), std::string::npos) << error.what();
    }
  }
  try {
    static_cast<void>(can_socket("can-nowhere"));
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_TRUE(error.error_number() == EAFNOSUPPORT || error.error_number() == ENODEV) << error.what();
  }
}

TEST(families, raw_socket_without_privilege_is_one_clear_error) {
  testing::without_privileges([] {
    try {
      Socket socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_STREQ(error.what(), "socket AF_INET SOCK_RAW protocol 1: Operation not permitted");
    }
    Socket socket(AF_INET, SOCK_DGRAM);
    try {
      socket.set(option::mark, 1);
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_STREQ(error.what(), "setsockopt SO_MARK 1: Operation not permitted");
    }
  });
}

TEST(can, frames_pass_through_as_the_kernel_has_them) {
  const CanFrame frames[] = {{.id = 0x123, .data = "\x01\x02"},
                             {.id = 0x1FFFFFFF, .data = "12345678", .extended = true},
                             {.id = 0x7FF, .data = {}, .remote = true},
                             {.id = 0x20000000 - 1, .data = {}, .extended = true, .remote = true}};
  for (const CanFrame& frame : frames) {
    const CanFrame back = detail::decode_can(detail::encode_can(frame));
    EXPECT_EQ(back.id, frame.id);
    EXPECT_EQ(back.data, frame.data);
    EXPECT_EQ(back.extended, frame.extended);
    EXPECT_EQ(back.remote, frame.remote);
    EXPECT_FALSE(back.error);
  }
  can_frame raw{};
  raw.can_id = CAN_ERR_FLAG | CAN_ERR_BUSOFF;
  EXPECT_TRUE(detail::decode_can(std::as_bytes(std::span(&raw, 1))).error);
  EXPECT_THROW(detail::encode_can({.id = 1, .data = "123456789"}), std::invalid_argument);
  EXPECT_THROW(detail::encode_can({.id = 0x800, .data = {}}), std::invalid_argument);
  EXPECT_THROW(detail::decode_can("short"), SystemError);
}

}  // namespace
}  // namespace hawser
