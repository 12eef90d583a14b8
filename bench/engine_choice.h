// --engine of the benchmark servers: asks the library for an engine and refuses to measure another one.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <hawser/fiber/run.h>

#include "arguments.h"

inline void ask_for_engine(const Arguments& arguments) {
  const std::string engine = arguments.text("engine", "auto");
  if (engine != "auto" && engine != "epoll" && engine != "uring") arguments.fail("no such engine: " + engine);
  ::setenv("HAWSER_ENGINE", engine.c_str(), 1);
}

// Inside run().
inline void check_engine(const Arguments& arguments) {
  const std::string engine = arguments.text("engine", "auto");
  const std::string used = hawser::engine_in_use();
  if (engine == "auto" || used.starts_with(engine)) return;
  std::fprintf(stderr, "this build has no engine %s: %s\n", engine.c_str(), used.c_str());
  std::exit(2);
}
