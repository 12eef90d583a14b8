// Small commands on open connections to a hub: how many `/bin/true` a second.
//
//   HAWSER_PASSWORD=… bench_commands HOST:PORT --user NAME [--pin sha256:…] [--at-once 1] [--ms 1000]
//
// Without --pin the hub is a plain one. Each connection runs one command after another.
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/connect.h>
#include <hawser/tls/tls_stream.h>
#include <hawser/wire/frame_stream.h>

#include "arguments.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

std::unique_ptr<Stream> open_stream(const Endpoint& hub, const std::string& pin) {
  auto socket = std::make_unique<Socket>(connect(hub, {.timeout = std::chrono::seconds(5)}));
  if (pin.empty()) return socket;
  return std::make_unique<TlsStream>(std::move(socket), TlsContext::client({.pin = pin, .alpn = {"hawser/1"}}),
                                     hub.host());
}

Frame ask(FrameStream& hub, const Json& request) {
  hub.send(request);
  Frame answer = hub.receive();
  if (!answer) throw std::runtime_error("the hub closed the connection");
  if (!answer["ok"].as_bool()) throw std::runtime_error(answer.header().dump());
  return answer;
}

long run_for(FrameStream& hub, double seconds, const Stopwatch& watch) {
  const Json command{{"cmd", "run"}, {"argv", Json::array({"/bin/true"})}};
  long done = 0;
  while (watch.seconds() < seconds) {
    ask(hub, command);
    for (;;) {
      const Frame event = hub.receive();
      if (!event) throw std::runtime_error("the hub closed the connection");
      if (event.header().find("exit")) break;
      hub.skip_body();
    }
    ++done;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            "bench_commands HOST:PORT --user NAME [--pin sha256:...] [--at-once 1] [--ms 1000]",
                            {"user", "pin", "at-once", "ms"});
  const char* password = std::getenv("HAWSER_PASSWORD");
  if (!password) arguments.fail("HAWSER_PASSWORD is not set");
  return run([&] {
    const Endpoint hub = Endpoint::parse(arguments.word(0));
    std::vector<std::unique_ptr<FrameStream>> connections;
    std::string token;
    for (long i = 0; i < arguments.number("at-once", 1); ++i) {
      connections.push_back(std::make_unique<FrameStream>(open_stream(hub, arguments.text("pin", ""))));
      ask(*connections.back(), {{"cmd", "hello"}, {"version", 1}, {"client", "bench"}});
      if (token.empty()) {
        const Json login{{"cmd", "login"}, {"user", arguments.text("user", "")}, {"password", password}};
        token = ask(*connections.back(), login)["token"].as_string();
      } else {
        ask(*connections.back(), {{"cmd", "resume"}, {"token", token}});
      }
    }
    const double length = static_cast<double>(arguments.number("ms", 1000)) / 1000;
    const Stopwatch watch;
    std::vector<Task<long>> tasks;
    for (auto& connection : connections)
      tasks.push_back(spawn([&, &stream = *connection] { return run_for(stream, length, watch); }));
    long done = 0;
    for (auto& task : tasks) done += task.get();
    std::printf("%.0f\n", static_cast<double>(done) / watch.seconds());
    return 0;
  });
}
