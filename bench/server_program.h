// What the benchmark servers on the library share: their command line, the choice of the engine and of the number of
// loops, and a server with limits out of the way.
//
//   NAME PORT [--engine epoll|uring] [--loops N] [--deal least|port]
//
// --deal says how connections come to the loops (DealOut), for servers of connections.
//
// An engine that was asked for and is not there ends the program with 2: a figure must not carry another engine's name.
// Once all is set the engine in use is printed, one line: "engine <TAB> epoll (…)".
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/serve/tcp_servers.h>

#include "arguments.h"
#include "file_limit.h"

// Calls body(arguments, PORT) inside run(), on the engine and the loops that the command line asks for. `more` is what
// this server understands besides.
template <class Body>
int run_on_engine(int argc, char** argv, const std::string& name, std::vector<std::string> more, Body&& body) {
  std::string usage = name + " PORT [--engine epoll|uring] [--loops N]";
  for (const std::string& option : more) usage += " [--" + option + " N]";
  more.insert(more.end(), {"engine", "loops"});
  const Arguments arguments(argc, argv, usage, more);
  const auto port = static_cast<int>(arguments.number_at(0));
  const std::string engine = arguments.text("engine", "auto");
  if (engine != "auto" && engine != "epoll" && engine != "uring") arguments.fail("no such engine: " + engine);
  ::setenv("HAWSER_ENGINE", engine.c_str(), 1);
  raise_file_limit();
  bool runs = false;
  try {
    return hawser::run({.loops = static_cast<int>(arguments.number("loops", 1))}, [&] {
      const std::string used = hawser::engine_in_use();
      if (engine != "auto" && used.find(engine) >= used.find(' '))
        throw std::invalid_argument("engine in use: " + used);
      runs = true;
      std::printf("engine\t%s\n", used.c_str());
      std::fflush(stdout);
      body(arguments, port);
      return 0;
    });
  } catch (const std::exception& error) {
    if (runs) throw;
    std::fprintf(stderr, "no engine %s here: %s\n", engine.c_str(), error.what());
    return 2;
  }
}

// Serves each connection with handler(Socket&), on a fiber of its own, until the process is ended.
template <class Handler>
int serve_connections(int argc, char** argv, const std::string& name, Handler&& handler) {
  return run_on_engine(argc, argv, name, {"deal"}, [&](const Arguments& arguments, int port) {
    const std::string deal = arguments.text("deal", "least");
    if (deal != "least" && deal != "port") arguments.fail("no such way to deal: " + deal);
    hawser::ServerOptions options;
    if (deal == "port") options.deal_out = hawser::DealOut::reuse_port;
    options.max_connections = 1'000'000;
    options.listen.backlog = 4096;
    hawser::FiberTcpServer server({"127.0.0.1", port}, std::forward<Handler>(handler), options);
    server.serve_forever();
  });
}
