// What put() and get() throw, and never the wait itself: these are states of the queue.
#pragma once

#include <stdexcept>

namespace hawser {

// No room, within the timeout if there was one.
class Full : public std::runtime_error {
 public:
  Full() : std::runtime_error("queue is full") {}
};

// No item, within the timeout if there was one.
class Empty : public std::runtime_error {
 public:
  Empty() : std::runtime_error("queue is empty") {}
};

// The queue was shut down: nothing can be put any more, or nothing is left to get.
class ShutDown : public std::runtime_error {
 public:
  ShutDown() : std::runtime_error("queue is shut down") {}
};

}  // namespace hawser
