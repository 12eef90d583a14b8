#include "hub/service/source_address.h"

#include <gtest/gtest.h>

#include <string>

namespace hawser::hub {
namespace {

TEST(source_address, ipv4_counts_by_the_address) {
  EXPECT_EQ(address_of("127.0.0.1:5000"), "127.0.0.1");
  EXPECT_EQ(address_of("127.0.0.1"), "127.0.0.1");
  EXPECT_NE(address_of("10.0.0.1:5000"), address_of("10.0.0.2:5000"));
}

TEST(source_address, ipv6_counts_by_the_first_64_bits) {
  EXPECT_EQ(address_of("[2001:db8:1:2:3:4:5:6]:5000"), "2001:db8:1:2::/64");
  EXPECT_EQ(address_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(address_of("[2001:db8:1:2::]:1"), address_of("[2001:0DB8:1:2:ffff:ffff:ffff:ffff]:65535"));
  EXPECT_NE(address_of("[2001:db8:1:2::1]:5000"), address_of("[2001:db8:1:3::1]:5000"));
  EXPECT_EQ(address_of("[::1]:5000"), "::/64");
  EXPECT_EQ(address_of("[1::8]:5000"), "1::/64");
  EXPECT_EQ(address_of("[0:0:3::]:5000"), "0:0:3::/64");
  EXPECT_EQ(address_of("[::4:5:6:7:8]:5000"), "0:0:0:4::/64");
  EXPECT_EQ(address_of("[1:2:3:4:5:6:7::]:5000"), "1:2:3:4::/64");
  EXPECT_EQ(address_of("[2001:db8::10.0.0.1]:5000"), "2001:db8::/64");
}

TEST(source_address, ipv4_inside_ipv6_counts_as_itself) {
  EXPECT_EQ(address_of("[::ffff:10.0.0.1]:5000"), "10.0.0.1");
  EXPECT_EQ(address_of("[::ffff:a00:1]:5000"), "10.0.0.1");
  EXPECT_EQ(address_of("[64:ff9b::10.0.0.1]:5000"), "10.0.0.1");
}

TEST(source_address, link_local_addresses_count_by_their_link) {
  EXPECT_EQ(address_of("[fe80::1%eth0]:5000"), "fe80::%eth0/64");
  EXPECT_EQ(address_of("[fe80::1%eth0]:5000"), address_of("[fe80::2%eth0]:5001"));
  EXPECT_NE(address_of("[fe80::1%eth0]:5000"), address_of("[fe80::1%eth1]:5000"));
}

TEST(source_address, what_is_no_address_counts_as_it_is) {
  EXPECT_EQ(address_of("/run/app.sock"), "/run/app.sock");
  EXPECT_EQ(address_of("(unnamed)"), "(unnamed)");
  EXPECT_EQ(address_of(""), "");
  EXPECT_EQ(address_of("["), "");
  EXPECT_EQ(address_of("[::1"), "::/64");
  for (const char* text :
       {"a:b:c", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "1::2::3", "12345::1", "g::1", "1:2:::3", "::1.2.3",
        "::1.2.3.4.5", "::256.1.1.1", "1.2.3.4::", "1:2:3:4:5:6:7:8:", "::1:", "::-1", "::+1", "::0x1"}) {
    EXPECT_EQ(address_of(text), text);
  }
  EXPECT_LE(address_of(std::string(1000, 'x')).size(), 128U);
}

}  // namespace
}  // namespace hawser::hub
