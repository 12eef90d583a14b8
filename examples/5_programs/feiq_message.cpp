// Sends a message to a 飞秋 (FeiQ) or IPMsg program: one datagram `version:number:user:host:command:text`, in GBK, to
// port 2425, and waits for the receipt.
//
//   feiq_message HOST USER TEXT [PORT]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <sstream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

// 飞秋 answers only to a version that begins with "1_": 1_lbt6_0#128#<MAC>#0#0#0#4001#9. IPMsg reads the leading 1.
constexpr auto kVersion = "1_lbt6_0#128#000000000000#0#0#0#4001#9";
constexpr int kSendMessage = 0x20;
constexpr int kReceiptWanted = 0x100;
constexpr int kReceipt = 0x21;
constexpr unsigned kMode = 0xff;  // the low bits of a command; the others are options

std::string without_colons(std::string name) {
  std::ranges::replace(name, ':', ';');
  return name;
}

bool is_receipt(const std::string& datagram, const std::string& number) {
  std::istringstream in(datagram);
  std::string version, its_number, user, host, command, text;
  for (std::string* field : {&version, &its_number, &user, &host, &command, &text}) std::getline(in, *field, ':');
  return (std::strtoul(command.c_str(), nullptr, 10) & kMode) == kReceipt && text.c_str() == number;  // up to the NUL
}

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: feiq_message HOST USER TEXT [PORT]\n";
    return 2;
  }
  try {
    const Address there = resolve({argv[1], argc == 5 ? argv[4] : "2425"}, {.family = IpFamily::v4}).front();
    // Programs drop what is not above the last number they saw from us.
    const std::string number = std::to_string(std::time(nullptr));
    const std::string message = fmt::format("{}:{}:{}:{}:{}:{}", kVersion, number, without_colons(argv[2]),
                                            without_colons(host_name()), kSendMessage | kReceiptWanted, argv[3]);
    Socket sock(AF_INET, SOCK_DGRAM);
    sock.send_to(encode(message + '\0', "gbk", OnError::replace), there);
    Deadline patience(3s, "receipt");  // for all that comes meanwhile, of others too
    while (!is_receipt(sock.recv_from().data.str(), number)) continue;
    std::cout << "received\n";
  } catch (const DeadlineExceeded&) {
    std::cout << "sent; no receipt\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "feiq_message: " << error.what() << '\n';
    return 1;
  }
}
