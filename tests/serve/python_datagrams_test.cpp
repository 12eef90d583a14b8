// Datagram servers of every form against Python's standard library: its sockets ask our servers, and ours ask those
// that its socketserver has.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cctype>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/net/buffered_reader.h>
#include <hawser/process/popen.h>
#include <hawser/process/run_command.h>
#include <hawser/serve/udp_servers.h>
#include <hawser/serve/unix_servers.h>

#include "every_form.h"
#include "serving.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::Serving;

class DatagramsWithPython : public testing::EveryForm {
 protected:
  // A folder of the test's own, for paths of sockets.
  const std::string folder_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "hawser-datagrams-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }();
  ~DatagramsWithPython() override { std::filesystem::remove_all(folder_); }
};

HAWSER_IN_EVERY_FORM(DatagramsWithPython);

std::string upper(std::string_view text) {
  std::string all(text);
  for (char& letter : all) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return all;
}

// Sizes from nothing to more than a page of an Ethernet, each with its own words.
std::string question(int number) {
  return std::string(static_cast<std::size_t>(number) * 97, 'a') + std::to_string(number);
}

// argv: the family, where the server is, and (UNIX) where we are.
constexpr char kPythonClient[] = R"(
import socket, sys
if sys.argv[1] == 'udp':
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server = ('127.0.0.1', int(sys.argv[2]))
else:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(sys.argv[3])
    server = sys.argv[2]
sock.settimeout(20)
for number in range(40):
    question = b'a' * (97 * number) + str(number).encode()
    sock.sendto(question, server)
    answer, sender = sock.recvfrom(65536)
    assert answer == question.upper(), (number, answer)
    assert sender == server, sender
sock.sendto(b'', server)
assert sock.recvfrom(65536)[0] == b'nothing'
print('all right')
)";

void answer(DatagramRequest& request) {
  request.reply(request.data().empty() ? std::string("nothing") : upper(request.data().view()));
}

TEST_P(DatagramsWithPython, its_sockets_ask_our_udp_server) {
  in_context([] {
    DatagramServer server(GetParam().form, testing::kAnyPort, answer, {});
    const Serving serving(server);
    const Completed done = run_command({"python3", "-c", kPythonClient, "udp", std::to_string(server.address().port())},
                                       {.capture = true});
    EXPECT_EQ(done.out, "all right\n") << done.err.view();
  });
}

TEST_P(DatagramsWithPython, its_sockets_ask_our_unix_server) {
  in_context([this] {
    DatagramServer server(GetParam().form, Endpoint::unix_path(folder_ + "/server"), answer, {});
    const Serving serving(server);
    const Completed done = run_command(
        {"python3", "-c", kPythonClient, "unix", folder_ + "/server", folder_ + "/client"}, {.capture = true});
    EXPECT_EQ(done.out, "all right\n") << done.err.view();
  });
}

// argv: the name of the class in socketserver, and (UNIX) where it is to be. Says where it is, then serves until its
// standard input ends.
constexpr char kPythonServer[] = R"(
import socketserver, sys, threading
class Handler(socketserver.DatagramRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read().upper() or b'nothing')
server = getattr(socketserver, sys.argv[1])(sys.argv[2] if len(sys.argv) > 2 else ('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1] if len(sys.argv) == 2 else 'there', flush=True)
sys.stdin.read()
)";

// What our side asks; the same that Python's does above.
void ask(Socket& client) {
  client.set_timeout(20s);
  for (int number = 0; number < 40; ++number) {
    client.send(question(number));
    EXPECT_EQ(client.recv_from().data.view(), upper(question(number)));
  }
  client.send("");
  EXPECT_EQ(client.recv_from().data, "nothing");
}

struct PythonServer {
  explicit PythonServer(std::vector<std::string> arguments)
      : child([&] {
          std::vector<std::string> command{"python3", "-c", kPythonServer};
          command.insert(command.end(), arguments.begin(), arguments.end());
          return Popen(Command(command), {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
        }()) {
    BufferedReader lines(child.output());
    said = lines.read_line().value_or("");
  }
  void stop() {
    child.input().close();
    EXPECT_EQ(child.wait(), 0);
  }
  Popen child;
  std::string said;
};

class AskingPython : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(all, AskingPython, ::testing::Bool(), [](const ::testing::TestParamInfo<bool>& info) {
  return info.param ? "in_fiber" : "on_thread";
});

TEST_P(AskingPython, our_sockets_ask_its_datagram_servers) {
  const auto body = [] {
    std::string folder = std::filesystem::temp_directory_path() / "hawser-datagrams-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    for (const char* form : {"UDPServer", "ThreadingUDPServer", "ForkingUDPServer"}) {
      PythonServer server({form});
      Socket client(AF_INET, SOCK_DGRAM);
      client.connect(Address::ip("127.0.0.1", std::stoi(server.said)));
      ask(client);
      server.stop();
    }
    for (const char* form : {"UnixDatagramServer", "ThreadingUnixDatagramServer"}) {
      const std::string path = folder + "/" + form;
      PythonServer server({form, path});
      ASSERT_EQ(server.said.substr(0, 5), "there");
      Socket client(AF_UNIX, SOCK_DGRAM);
      client.bind(Address::unix_path(folder + "/" + form + "-client"));
      client.connect(Address::unix_path(path));
      ask(client);
      server.stop();
    }
    std::filesystem::remove_all(folder);
  };
  if (GetParam()) {
    run([&] { body(); });
  } else {
    body();
  }
}

}  // namespace
}  // namespace hawser
