// Sends a message to a 飞秋 (FeiQ) or IPMsg program: one datagram `version:number:user:host:command:text`, in GBK, to
// port 2425, and waits for the receipt.
//
//   feiq_message HOST USER TEXT [PORT]
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <iostream>
#include <ranges>
#include <vector>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

// 飞秋 answers only to a version that begins with "1_": 1_lbt6_0#128#<MAC>#0#0#0#4001#9. IPMsg reads the leading 1.
constexpr auto kVersion = "1_lbt6_0#128#000000000000#0#0#0#4001#9";
constexpr int kSendMessage = 0x20;
constexpr int kReceiptWanted = 0x100;
constexpr int kReceipt = 0x21;
constexpr int kMode = 0xff;  // the low bits of a command; the others are options

std::string without_colons(std::string name) {
  std::ranges::replace(name, ':', ';');
  return name;
}

bool is_receipt(std::string_view datagram, std::string_view number) {
  std::vector<std::string_view> fields;
  for (const auto field : std::views::split(datagram, ':')) fields.emplace_back(field);
  if (fields.size() < 6) return false;
  int command = 0;
  std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), command);
  return (command & kMode) == kReceipt && fields[5].substr(0, fields[5].find('\0')) == number;
}

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: feiq_message HOST USER TEXT [PORT]\n";
    return 2;
  }
  try {
    const Address there = resolve({argv[1], argc == 5 ? std::stoi(argv[4]) : 2425}, {.family = IpFamily::v4}).front();
    // Programs drop what is not above the last number they saw from us.
    const std::string number = std::to_string(std::time(nullptr));
    const std::string message = fmt::format("{}:{}:{}:{}:{}:{}", kVersion, number, without_colons(argv[2]),
                                            without_colons(host_name()), kSendMessage | kReceiptWanted, argv[3]);
    Socket sock(AF_INET, SOCK_DGRAM);
    sock.send_to(encode(message + '\0', "gbk", OnError::replace), there);
    Deadline patience(3s, "receipt");  // for all that comes meanwhile, of others too
    while (!is_receipt(sock.recv_from().data, number)) continue;
    std::cout << "received\n";
  } catch (const DeadlineExceeded&) {
    std::cout << "sent; no receipt\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "feiq_message: " << error.what() << '\n';
    return 1;
  }
}
