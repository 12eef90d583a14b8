#include <hawser/base/log.h>

#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>

namespace hawser {
namespace {

std::mutex g_mutex;

// A line may be logged while other locks are held.
[[maybe_unused]] const bool g_held_over_fork =
    (detail::hold_over_fork(g_mutex, detail::ForkOrder::inner, nullptr, nullptr), true);

constinit detail::MadeOnce<std::shared_ptr<const LogSink>> g_sink;  // lines may come while the process ends

void to_standard_error(LogLevel level, std::string_view line) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  std::string out = "hawser: ";
  out.append(kNames[static_cast<std::size_t>(level)]).append(": ").append(line).append("\n");
  if (::write(STDERR_FILENO, out.data(), out.size()) < 0) return;  // nowhere left to say so
}

}  // namespace

void set_log_sink(LogSink next) {
  auto made = next ? std::make_shared<const LogSink>(std::move(next)) : nullptr;
  std::lock_guard hold(g_mutex);
  g_sink.get() = std::move(made);
}

void log_line(LogLevel level, std::string_view line) noexcept {
  try {
    std::shared_ptr<const LogSink> current;
    {
      std::lock_guard hold(g_mutex);
      current = g_sink.get();
    }
    if (current) {
      (*current)(level, line);
    } else {
      to_standard_error(level, line);
    }
  } catch (...) {
    // A report must never become a second failure.
  }
}

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace hawser
