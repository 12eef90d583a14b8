#include <hawser/net/address.h>

#include <gtest/gtest.h>
#include <net/if.h>
#include <unistd.h>

#include <string>

#include <hawser/base/fd.h>

namespace hawser {
namespace {

std::size_t fault_at(const std::function<void()>& call) {
  try {
    call();
  } catch (const AddressError& error) {
    return error.position();
  }
  return std::string::npos;
}

TEST(address, prints_what_it_parses) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0",
                           "[2001:db8::1]:443", "[::ffff:10.0.0.1]:1", "/run/app.sock", "./app", "@name"}) {
    EXPECT_EQ(Address::parse(text).str(), text);
    EXPECT_EQ(Endpoint::parse(text).str(), text);
  }
}

TEST(address, unix_names_are_read_as_they_are_printed) {
  const std::pair<std::string, std::string> cases[] = {
      {"app.sock", "./app.sock"},
      {"./app.sock", "./app.sock"},
      {"run/app.sock", "run/app.sock"},
      {"./@x", "./@x"},
      {"localhost:80", "./localhost:80"},
      {"http://example.org:80", "./http://example.org:80"},
      {"/tmp/a\nb", "/tmp/a\\x0ab"},
      {"/tmp/a\\x0ab", "/tmp/a\\x5cx0ab"},
      {"/tmp/\xe4\xbd\xa0", "/tmp/\xe4\xbd\xa0"},
      {std::string("\0a\0b", 4), "@a\\x00b"},
      {std::string(107, 'p'), "./" + std::string(107, 'p')},
  };
  for (const auto& [name, text] : cases) {
    const Address address = Address::unix_path(name);
    EXPECT_EQ(address.str(), text);
    EXPECT_EQ(Address::parse(address.str()), address) << address.str();
    EXPECT_EQ(Endpoint::parse(address.str()).numeric(), address) << address.str();
  }
  EXPECT_EQ(Address::parse("/tmp/a\\b").path(), "/tmp/a\\b");  // no code of a byte
  EXPECT_NE(Address::unix_path("./@x"), Address::unix_path("@x"));
  // A file that another program has bound without the "./".
  sockaddr_un file{.sun_family = AF_UNIX, .sun_path = "@x"};
  const Address from_kernel = Address::from(reinterpret_cast<const sockaddr*>(&file), sizeof file);
  EXPECT_EQ(from_kernel.str(), "./@x");
  EXPECT_EQ(Address::parse("./@x"), from_kernel);
}

TEST(address, a_url_is_none) {
  for (const char* text : {"http://example.org:80", "unix:///run/app.sock"}) {
    EXPECT_EQ(fault_at([text] { Address::parse(text); }), 4U);
    EXPECT_EQ(fault_at([text] { Endpoint::parse(text); }), 4U);
    EXPECT_EQ(fault_at([text] { Endpoint::parse(text, 80); }), 4U);
  }
  EXPECT_EQ(Address::parse("/tmp/a://b").path(), "/tmp/a://b");
}

TEST(address, counts_from_the_beginning_of_the_text) {
  EXPECT_EQ(fault_at([] { Address::parse("[fe80::1%nowhere7]:80"); }), 9U);
  EXPECT_EQ(fault_at([] { Endpoint::parse("[fe80::1%nowhere7]:80"); }), 9U);
  EXPECT_EQ(fault_at([] { Endpoint::parse("[a b]:80"); }), 2U);
  EXPECT_EQ(fault_at([] { Endpoint("[fe80::1%nowhere7]", 80); }), 9U);
  EXPECT_EQ(fault_at([] { Address::parse("/a\\x0ab\\x00"); }), 7U);
  EXPECT_EQ(fault_at([] { Address::parse("/\\x0a" + std::string(120, 'p')); }), 110U);
  try {
    Address::parse("[fe80::1%nowhere7]:80");
    FAIL();
  } catch (const AddressError& error) {
    EXPECT_STREQ(error.what(), "bad address \"[fe80::1%nowhere7]:80\": no such interface (at 9)");
  }
}

TEST(address, keeps_host_and_port_apart) {
  const Address v6 = Address::parse("[2001:db8::1]:443");
  EXPECT_EQ(v6.host(), "2001:db8::1");
  EXPECT_EQ(v6.port(), 443);
  EXPECT_TRUE(v6.is_ipv6());
  EXPECT_EQ(v6.with_port(80).str(), "[2001:db8::1]:80");
}

TEST(address, zone_ids_are_interfaces) {
  const Address address = Address::parse("[fe80::1%lo]:80");
  EXPECT_EQ(address.str(), "[fe80::1%lo]:80");
  EXPECT_EQ(Address::ip("fe80::1%" + std::to_string(::if_nametoindex("lo")), 80), address);
  EXPECT_EQ(fault_at([] { Address::ip("fe80::1%nowhere7", 80); }), 8U);
}

TEST(address, says_where_a_text_is_wrong) {
  EXPECT_EQ(fault_at([] { Address::parse(""); }), 0U);
  EXPECT_EQ(fault_at([] { Address::parse("1.2.3.4"); }), 7U);
  EXPECT_EQ(fault_at([] { Address::parse("1.2.3.4:"); }), 8U);
  EXPECT_EQ(fault_at([] { Address::parse("1.2.3.4:65536"); }), 8U);
  EXPECT_EQ(fault_at([] { Address::parse("1.2.3.4:8x"); }), 9U);
  EXPECT_EQ(fault_at([] { Address::parse("1.2.3.4:-1"); }), 8U);
  EXPECT_EQ(fault_at([] { Address::parse(":80"); }), 0U);
  EXPECT_EQ(fault_at([] { Address::parse("[::1:80"); }), 7U);
  EXPECT_EQ(fault_at([] { Address::parse("[::1]80"); }), 5U);
  EXPECT_EQ(fault_at([] { Address::parse("[]:80"); }), 1U);
  EXPECT_EQ(fault_at([] { Address::parse("::1:80"); }), 0U);
  EXPECT_EQ(fault_at([] { Address::parse("256.0.0.1:80"); }), 0U);
  EXPECT_EQ(fault_at([] { Address::parse("example.org:80"); }), 0U);
}

TEST(address, error_shows_the_text_without_control_characters) {
  try {
    Address::parse("a\nb:80");
    FAIL();
  } catch (const AddressError& error) {
    EXPECT_STREQ(error.what(), "bad address \"a\\x0ab:80\": not a numeric IPv4 or IPv6 address (at 0)");
  }
}

TEST(address, ports_end_at_65535) {
  EXPECT_EQ(Address::ip("127.0.0.1", 65535).port(), 65535);
  EXPECT_EQ(Address::ip("127.0.0.1", 0).port(), 0);
  EXPECT_THROW(Address::ip("127.0.0.1", 65536), AddressError);
  EXPECT_THROW(Address::ip("127.0.0.1", -1), AddressError);
  EXPECT_THROW(Endpoint("example.org", 65536), AddressError);
}

TEST(address, classes) {
  const std::pair<const char*, AddressClass> cases[] = {
      {"0.0.0.0", AddressClass::unspecified},
      {"127.255.0.1", AddressClass::loopback},
      {"10.1.2.3", AddressClass::private_a},
      {"172.16.0.1", AddressClass::private_b},
      {"172.31.255.255", AddressClass::private_b},
      {"172.32.0.1", AddressClass::global},
      {"192.168.7.1", AddressClass::private_c},
      {"169.254.1.1", AddressClass::link_local},
      {"224.0.0.1", AddressClass::multicast},
      {"239.255.255.255", AddressClass::multicast},
      {"255.255.255.255", AddressClass::broadcast},
      {"8.8.8.8", AddressClass::global},
      {"::", AddressClass::unspecified},
      {"::1", AddressClass::loopback},
      {"fd00::1", AddressClass::unique_local},
      {"fe80::1", AddressClass::link_local},
      {"ff02::1", AddressClass::multicast},
      {"2001:db8::1", AddressClass::global},
      {"::ffff:192.168.0.1", AddressClass::private_c},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Address::ip(text, 1).address_class(), expected) << text;
  EXPECT_TRUE(Address::ip("fd00::1", 1).is_private());
  EXPECT_TRUE(Address::ip("10.0.0.1", 1).is_private());
  EXPECT_FALSE(Address::ip("1.1.1.1", 1).is_private());
}

TEST(address, unix_path_has_107_bytes) {
  EXPECT_EQ(Address::unix_path(std::string(107, 'p')).path().size(), 107U);
  EXPECT_EQ(fault_at([] { Address::unix_path(std::string(108, 'p')); }), 107U);
  EXPECT_EQ(fault_at([] { Address::unix_path(std::string("a\0b", 3)); }), 1U);
  EXPECT_THROW(Address::unix_path(""), AddressError);
  EXPECT_THROW(Address::unix_path("@"), AddressError);
}

TEST(address, abstract_names_begin_with_nul) {
  const Address a = Address::unix_path("@hub"), b = Address::unix_path(std::string("\0hub", 4));
  EXPECT_EQ(a, b);
  EXPECT_TRUE(a.is_abstract());
  EXPECT_EQ(a.path(), std::string("\0hub", 4));
  EXPECT_EQ(a.str(), "@hub");
  EXPECT_FALSE(Address::unix_path("/hub").is_abstract());
}

TEST(address, survives_the_kernel) {
  const UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address address = Address::ip("::1", 0);
  ASSERT_EQ(::bind(fd.get(), address.data(), address.size()), 0);
  const Address bound = Address::of_socket(fd.get());
  EXPECT_EQ(bound.host(), "::1");
  EXPECT_GT(bound.port(), 0);
  EXPECT_EQ(Address::from(bound.data(), bound.size()), bound);
}

TEST(address, refuses_families_it_does_not_know) {
  sockaddr strange{};
  strange.sa_family = AF_NETLINK;
  EXPECT_THROW(Address::from(&strange, sizeof strange), std::invalid_argument);
}

TEST(endpoint, is_made_of_host_and_port) {
  const Endpoint name{"example.org", 80};
  EXPECT_EQ(name.host(), "example.org");
  EXPECT_FALSE(name.numeric());
  EXPECT_EQ(name.str(), "example.org:80");
  EXPECT_EQ(Endpoint("[::1]", 80).str(), "[::1]:80");
  EXPECT_EQ(Endpoint("::1", 80).numeric(), Address::ip("::1", 80));
  EXPECT_TRUE(Endpoint::unix_path("/run/x").is_unix());
}

TEST(endpoint, a_port_may_be_written_in_digits) {
  EXPECT_EQ(Endpoint("127.0.0.1", "8080").str(), "127.0.0.1:8080");
  EXPECT_EQ(Endpoint("[::1]", "0").str(), "[::1]:0");
  EXPECT_EQ(Endpoint("example.com", "65535").port(), 65535);
  EXPECT_EQ(Address::ip("::1", "53").str(), "[::1]:53");
  for (const char* port : {"", "http", "80x", " 80", "+80", "-1", "65536", "99999999999"}) {
    EXPECT_THROW(Endpoint("127.0.0.1", port), AddressError) << port;
    EXPECT_THROW(Address::ip("127.0.0.1", port), AddressError) << port;
  }
  EXPECT_THROW(Endpoint("127.0.0.1", std::string_view("8\0", 2)), AddressError);
  try {
    const Endpoint endpoint("::1", "80x");
    ADD_FAILURE() << endpoint.str();
  } catch (const AddressError& error) {
    EXPECT_STREQ(error.what(), "bad address \"[::1]:80x\": the port is not a number (at 8)");
  }
}

TEST(endpoint, refuses_names_that_can_not_be) {
  EXPECT_THROW(Endpoint("", 80), AddressError);
  EXPECT_THROW(Endpoint("a b", 80), AddressError);
  EXPECT_THROW(Endpoint(std::string_view("a\0b", 3), 80), AddressError);
  EXPECT_THROW(Endpoint("::zz", 80), AddressError);
  EXPECT_THROW(Endpoint(std::string(254, 'a'), 80), AddressError);
}

TEST(endpoint, default_port_fills_in) {
  EXPECT_EQ(Endpoint::parse("example.org", 7000).str(), "example.org:7000");
  EXPECT_EQ(Endpoint::parse("example.org:1", 7000).str(), "example.org:1");
  EXPECT_EQ(Endpoint::parse("[::1]", 7000).str(), "[::1]:7000");
  EXPECT_EQ(Endpoint::parse("::1", 7000).str(), "[::1]:7000");
  EXPECT_EQ(Endpoint::parse("/run/x", 7000).str(), "/run/x");
  EXPECT_THROW(Endpoint::parse("example.org"), AddressError);
}

}  // namespace
}  // namespace hawser
