// Sends a message to a 飞秋 (FeiQ) or IPMsg program: one datagram `version:number:user:host:command:text`, in GBK, to
// port 2425, and waits for the receipt.
//
//   feiq_message HOST USER TEXT [PORT]
#include <unistd.h>

#include <array>
#include <ctime>
#include <iostream>

#include <fmt/format.h>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

// 飞秋 answers only to a version that begins with "1_": 1_lbt6_0#128#<MAC>#0#0#0#4001#9. IPMsg reads the leading 1.
constexpr auto kVersion = "1_lbt6_0#128#000000000000#0#0#0#4001#9";
constexpr int kSendMessage = 0x20;
constexpr int kReceiptWanted = 0x100;
constexpr int kReceipt = 0x21;

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: feiq_message HOST USER TEXT [PORT]\n";
    return 2;
  }
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto number = std::time(nullptr);  // programs drop what is not above the last number they saw from us
  const std::string message =
      fmt::format("{}:{}:{}:{}:{}:{}", kVersion, number, argv[2], host.data(), kSendMessage | kReceiptWanted, argv[3]);

  Socket sock(AF_INET, SOCK_DGRAM);
  sock.set_timeout(3s);
  sock.send_to(encode(message + '\0', "gbk", OnError::replace),
               Address::ip(argv[1], argc == 5 ? std::stoi(argv[4]) : 2425));
  try {
    for (;;) {
      const std::string answer = decode(sock.recv_from().data, "gbk", OnError::replace);
      const std::string receipt = fmt::format(":{}:{}", kReceipt, number);
      if (answer.find(receipt) != answer.npos) break;
    }
    std::cout << "received\n";
  } catch (const SocketTimeout&) {
    std::cout << "sent; no receipt\n";
    return 1;
  }
}
