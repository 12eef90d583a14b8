// A task of a ProcessPool: on this side the promise and the bytes of the call, over there the call itself. Internal.
#pragma once

#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/process/code_address.h>
#include <hawser/process/process_pool_errors.h>
#include <hawser/process/serialise.h>
#include <hawser/task/future.h>
#include <hawser/task/map.h>

namespace hawser::detail {

// What a parameter of the function is kept as on its way: a view becomes what it looks at.
template <class P>
struct Kept {
  using type = std::remove_cvref_t<P>;
};
template <class P>
requires std::same_as<std::remove_cvref_t<P>, std::string_view>
struct Kept<P> {
  using type = std::string;
};
template <class P>
requires std::same_as<std::remove_cvref_t<P>, BytesView>
struct Kept<P> {
  using type = Bytes;
};
template <class P>
using KeptAs = typename Kept<P>::type;

template <class R>
using ResultOf = std::conditional_t<std::is_void_v<R>, void, std::remove_cvref_t<R>>;

// What a function threw, on its way.
struct RemoteFailure {
  std::string type_name;
  std::string message;
  [[nodiscard]] std::exception_ptr error() const { return std::make_exception_ptr(RemoteError(type_name, message)); }
};
// Of the exception that is being handled.
[[nodiscard]] RemoteFailure current_failure();

// Over there: reads the call, makes it, writes the result.
using PoolEntry = void (*)(ArchiveReader& call, ArchiveWriter& result);

template <class R, class... P, std::size_t... I>
R call_with(R (*function)(P...), std::tuple<KeptAs<P>...>& arguments, std::index_sequence<I...> /*all*/) {
  return function(
      static_cast<P>(static_cast<std::conditional_t<std::is_lvalue_reference_v<P>, KeptAs<P>&, KeptAs<P>&&>>(
          std::get<I>(arguments)))...);
}

template <class R, class... P>
void run_call(ArchiveReader& call, ArchiveWriter& result) {
  CodeAddress address;
  std::tuple<KeptAs<P>...> arguments;
  call(address, arguments);
  const auto function = reinterpret_cast<R (*)(P...)>(address.here());
  if constexpr (std::is_void_v<R>) {
    call_with(function, arguments, std::index_sequence_for<P...>());
  } else {
    result(static_cast<const ResultOf<R>&>(call_with(function, arguments, std::index_sequence_for<P...>())));
  }
}

// One function for several elements: the results before the first failure, and that.
template <class R, class... P>
void run_chunk(ArchiveReader& call, ArchiveWriter& result) {
  using Result = std::conditional_t<std::is_void_v<R>, std::monostate, ResultOf<R>>;
  CodeAddress address;
  std::vector<std::tuple<KeptAs<P>...>> elements;
  call(address, elements);
  const auto function = reinterpret_cast<R (*)(P...)>(address.here());
  std::vector<Result> results;
  std::optional<RemoteFailure> failure;
  results.reserve(elements.size());
  try {
    for (auto& element : elements) {
      if constexpr (std::is_void_v<R>) {
        call_with(function, element, std::index_sequence_for<P...>());
        results.emplace_back();
      } else {
        results.push_back(call_with(function, element, std::index_sequence_for<P...>()));
      }
    }
  } catch (...) {
    failure = current_failure();
  }
  result(results, failure);
}

// On this side. Belongs to whoever completes it; used under the pool's mutex until it is.
struct PoolTask {
  using Length = std::uint32_t;
  PoolTask() = default;
  PoolTask(const PoolTask&) = delete;
  PoolTask& operator=(const PoolTask&) = delete;
  virtual ~PoolTask() = default;
  // It is about to be sent. False when the future has been cancelled.
  virtual bool begin() = 0;
  virtual void succeed(BytesView result) = 0;
  virtual void fail(std::exception_ptr error) = 0;
  virtual void cancel() = 0;

  std::string message;  // a frame, as it is sent
  bool begun = false;
  bool counted = false;  // among those in line
};

// The frame of a call: its length, what to call there, the function and its arguments.
template <class... Arguments>
std::string write_call(PoolEntry entry, const CodeAddress& function, const Arguments&... arguments) {
  std::string message(sizeof(PoolTask::Length), '\0');
  ArchiveWriter archive(message);
  archive(CodeAddress::of(entry), function, arguments...);
  const auto length = static_cast<PoolTask::Length>(message.size() - sizeof(PoolTask::Length));
  std::memcpy(message.data(), &length, sizeof length);
  return message;
}

template <class T>
struct PromisedTask : PoolTask {
  bool begin() override {
    if (!begun) begun = promise.set_running_or_notify_cancel();
    return begun;
  }
  void fail(std::exception_ptr error) override { promise.set_exception(std::move(error)); }
  void cancel() override { promise.future().cancel(); }
  // What reading the result throws is the result.
  template <class Read>
  void succeed_with(Read&& read) {
    std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
    try {
      value.emplace(read());
    } catch (...) {
      promise.set_exception(std::current_exception());
      return;
    }
    if constexpr (std::is_void_v<T>) {
      promise.set_value();
    } else {
      promise.set_value(std::move(*value));
    }
  }
  Promise<T> promise;
};

template <class T>
struct CallTask final : PromisedTask<T> {
  void succeed(BytesView result) override {
    this->succeed_with([&] {
      if constexpr (std::is_void_v<T>) {
        ArchiveReader(result).expect_end();
        return std::monostate();
      } else {
        return from_bytes<T>(result);
      }
    });
  }
};

template <class T>
struct ChunkTask final : PromisedTask<MapChunk<T>> {
  void succeed(BytesView result) override {
    this->succeed_with([&] {
      MapChunk<T> chunk;
      std::optional<RemoteFailure> failure;
      ArchiveReader archive(result);
      archive(chunk.results, failure);
      archive.expect_end();
      if (failure) chunk.error = failure->error();
      return chunk;
    });
  }
};

// A plain function, or a lambda that captures nothing and so is one.
template <class F>
concept PlainFunction = (std::is_pointer_v<std::decay_t<F>> &&
                         std::is_function_v<std::remove_pointer_t<std::decay_t<F>>>) ||
                        (std::is_empty_v<std::remove_cvref_t<F>> && requires(const std::remove_cvref_t<F>& f) { +f; });

template <class F>
constexpr auto as_function(const F& function) {
  static_assert(PlainFunction<F>,
                "hawser: a task of a ProcessPool is a plain function or a lambda that captures nothing: it runs in "
                "another process, which has no copy of a closure or an object");
  if constexpr (PlainFunction<F>) return +function;
}

template <class R, class... P>
constexpr void must_cross(R (* /*function*/)(P...)) {
  static_assert(
      (Serialisable<KeptAs<P>> && ...),
      "hawser: a parameter of this function cannot cross a process border (see <hawser/process/serialise.h>)");
  static_assert(std::is_void_v<R> || Serialisable<std::remove_cvref_t<R>>,
                "hawser: the result of this function cannot cross a process border (see <hawser/process/serialise.h>)");
}

template <class R, class... P, class... A>
std::string make_call(R (*function)(P...), A&&... arguments) {
  must_cross(function);
  static_assert(sizeof...(P) == sizeof...(A), "hawser: the function takes another number of arguments");
  static_assert((std::is_constructible_v<KeptAs<P>, A&&> && ...),
                "hawser: an argument does not convert to the function's parameter");
  return write_call(&run_call<R, P...>, CodeAddress::of(function),
                    std::tuple<KeptAs<P>...>(KeptAs<P>(std::forward<A>(arguments))...));
}

template <class R, class... P>
std::unique_ptr<CallTask<ResultOf<R>>> task_for(R (* /*function*/)(P...)) {
  return std::make_unique<CallTask<ResultOf<R>>>();
}

}  // namespace hawser::detail
