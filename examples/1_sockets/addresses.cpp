// Says what addresses mean: their parts, what kind of place they are, and where a text is wrong. Without arguments: the
// interfaces of this machine.
//
//   addresses 127.0.0.1:80 [::1]:80 @name 10.0.0.1:70000
#include <fmt/format.h>

#include <map>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  const std::map<AddressClass, const char*> kinds{
      {AddressClass::unspecified, "unspecified"}, {AddressClass::loopback, "loopback"},
      {AddressClass::private_a, "private, A"},    {AddressClass::private_b, "private, B"},
      {AddressClass::private_c, "private, C"},    {AddressClass::unique_local, "unique local"},
      {AddressClass::link_local, "link-local"},   {AddressClass::multicast, "multicast"},
      {AddressClass::broadcast, "broadcast"},     {AddressClass::global, "global"},
      {AddressClass::local, "on this machine"}};
  int wrong = 0;
  for (int i = 1; i < argc; ++i) {
    try {
      const Address address = Address::parse(argv[i]);
      const std::string place =
          address.is_ip() ? fmt::format("host {} port {}", address.host(), address.port()) : "UNIX " + address.str();
      fmt::print("{}: {}, {}\n", argv[i], place, kinds.at(address.address_class()));
    } catch (const AddressError& error) {
      fmt::print("{}\n", error.what());
      ++wrong;
    }
  }
  if (argc > 1) return wrong ? 1 : 0;
  for (const Interface& each : interfaces()) {
    fmt::print("{}: {}{}mtu {}\n", each.name, each.is_up() ? "up, " : "", each.is_loopback() ? "loopback, " : "",
               each.mtu);
    for (const InterfaceAddress& at : each.addresses) {
      fmt::print("  {}/{}\n", at.address.host(), at.prefix_length);
    }
  }
}
