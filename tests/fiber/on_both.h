// on_both: the same body on a fiber and on a plain thread.
#pragma once

#include <thread>

#include <hawser/fiber/run.h>

namespace hawser::testing {

template <class Body>
void on_both(Body body) {
  run([&] { body(); });
  std::thread(body).join();
}

}  // namespace hawser::testing
