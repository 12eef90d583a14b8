#include <hawser/fiber/engine.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace hawser::detail {

std::unique_ptr<Engine> make_engine(Loop& loop, std::string& why) {
  const char* asked = std::getenv("HAWSER_ENGINE");
  const std::string_view name = asked && *asked ? asked : "auto";
  if (name == "epoll") {
    why = "epoll (asked for by HAWSER_ENGINE)";
  } else if (name == "auto") {
    why = "epoll (the only engine in this build)";
  } else {
    throw std::invalid_argument("HAWSER_ENGINE=" + std::string(name) + ": this build has the engines auto and epoll");
  }
  return make_epoll_engine(loop);
}

}  // namespace hawser::detail
