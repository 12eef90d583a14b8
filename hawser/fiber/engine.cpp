#include <hawser/fiber/engine.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace hawser::detail {

EngineWish wished_engine() {
  const char* asked = std::getenv("HAWSER_ENGINE");
  const std::string_view name = asked && *asked ? asked : "auto";
  if (name == "epoll") return {EngineKind::epoll, true, "asked for by HAWSER_ENGINE"};
  if (name == "uring") return {EngineKind::uring, true, "asked for by HAWSER_ENGINE"};
  if (name == "auto") return {EngineKind::uring, false, "the faster one"};
  throw std::invalid_argument("HAWSER_ENGINE=" + std::string(name) + ": the engines are auto, epoll and uring");
}

std::unique_ptr<Engine> make_engine(EngineKind kind, Loop& loop) {
  return kind == EngineKind::epoll ? make_epoll_engine(loop) : make_uring_engine();
}

}  // namespace hawser::detail
