// What a Process runs: a function with its arguments, kept until the child calls it. Internal.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <hawser/process/code_address.h>
#include <hawser/process/fresh_program.h>
#include <hawser/process/serialise.h>

namespace hawser::detail {

struct ProcessTarget {
  ProcessTarget() = default;
  ProcessTarget(const ProcessTarget&) = delete;
  ProcessTarget& operator=(const ProcessTarget&) = delete;
  virtual ~ProcessTarget() = default;
  virtual void run() = 0;
  // For a process that is started afresh: what to call there, and the message to it. Null: it can't be told.
  virtual FreshEntry describe(std::string& /*message*/) { return nullptr; }
};

template <class F, class... Args>
struct BoundTarget final : ProcessTarget {
  template <class G, class... A>
  explicit BoundTarget(G&& g, A&&... a) : function(std::forward<G>(g)), arguments(std::forward<A>(a)...) {}
  void run() override { std::apply(std::move(function), std::move(arguments)); }
  F function;
  std::tuple<Args...> arguments;
};

// A plain function whose arguments can cross.
template <class R, class... P, class... Args>
requires(Serialisable<Args>&&...) struct BoundTarget<R (*)(P...), Args...> final : ProcessTarget {
  template <class... A>
  explicit BoundTarget(R (*f)(P...), A&&... a) : function(f), arguments(std::forward<A>(a)...) {}
  void run() override { std::apply(function, std::move(arguments)); }
  FreshEntry describe(std::string& message) override {
    append_bytes(message, CodeAddress::of(function));
    append_bytes(message, arguments);
    return &BoundTarget::run_afresh;
  }
  static void run_afresh(ArchiveReader& message) {
    CodeAddress address;
    std::tuple<Args...> arguments;
    message(address, arguments);
    std::apply(reinterpret_cast<R (*)(P...)>(address.here()), std::move(arguments));
  }
  R (*function)(P...);
  std::tuple<Args...> arguments;
};

template <class F, class... A>
std::unique_ptr<ProcessTarget> make_target(F&& function, A&&... arguments) {
  return std::make_unique<BoundTarget<std::decay_t<F>, std::decay_t<A>...>>(std::forward<F>(function),
                                                                            std::forward<A>(arguments)...);
}

}  // namespace hawser::detail
