#include <hawser/fiber/engine.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace hawser::detail {

EngineWish wished_engines() {
  const char* asked = std::getenv("HAWSER_ENGINE");
  const std::string_view names = asked ? asked : "";
  if (names.empty() || names == "auto") return {{EngineKind::epoll}, "the default, and the faster of the two"};
  EngineWish wish{{}, "asked for by HAWSER_ENGINE"};
  for (std::string_view rest = names;;) {
    const std::string_view name = rest.substr(0, rest.find(','));
    if (name != "epoll" && name != "uring") {
      throw std::invalid_argument("HAWSER_ENGINE=" + std::string(names) + ": the engines are auto, epoll and uring");
    }
    wish.kinds.push_back(name == "epoll" ? EngineKind::epoll : EngineKind::uring);
    if (name.size() == rest.size()) return wish;
    rest.remove_prefix(name.size() + 1);
  }
}

std::unique_ptr<Engine> make_engine(EngineKind kind, Loop& loop) {
  return kind == EngineKind::epoll ? make_epoll_engine(loop) : make_uring_engine();
}

}  // namespace hawser::detail
