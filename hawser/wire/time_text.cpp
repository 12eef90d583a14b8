#include <hawser/wire/time_text.h>

#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>

namespace hawser {
namespace {

constinit detail::MadeOnce<locale_t> g_c_locale;

// localtime(3), gmtime(3) and strftime(3) share a lock, which a forked child would find held.
constinit std::mutex g_converting;
[[maybe_unused]] const bool g_held_over_fork =
    (detail::hold_over_fork(g_converting, detail::ForkOrder::inner, nullptr, nullptr), true);

locale_t c_locale() {
  return g_c_locale.get([] {
    const locale_t made = newlocale(LC_ALL_MASK, "C", nullptr);
    if (made == nullptr) throw_errno("newlocale", "C");
    return made;
  });
}

// Appends one stretch without zero bytes. False when text would become longer than limit.
bool append_formatted(std::string& text, std::string_view format, const std::tm& time, std::size_t limit) {
  if (format.empty()) return true;
  // strftime says 0 both for no text and for no room. With a letter before it, no text is still one letter.
  std::string marked(1, '.');
  marked += format;
  const std::size_t before = text.size();
  for (std::size_t room = format.size() + 128;; room *= 2) {
    room = std::min(room, limit - before);
    // The letter, the text, and the zero that strftime puts behind it.
    text.resize(before + room + 2);
    const std::size_t made = [&] {
      const std::lock_guard hold(g_converting);
      return strftime_l(text.data() + before, room + 2, marked.c_str(), &time, c_locale());
    }();
    if (made > 0) {
      text.resize(before + made);
      text.erase(before, 1);
      return true;
    }
    if (room == limit - before) return false;
  }
}

std::tm broken_down(std::time_t seconds, std::tm* (*convert)(const std::time_t*, std::tm*), const char* name) {
  std::tm time{};
  const std::lock_guard hold(g_converting);
  if (convert(&seconds, &time) == nullptr) throw SystemError(errno, name, std::to_string(seconds));
  return time;
}

}  // namespace

std::string format_time(std::string_view format, const std::tm& time, std::size_t limit) {
  std::string text;
  for (;;) {
    const std::size_t zero = format.find('\0');
    const bool fits = text.size() <= limit && append_formatted(text, format.substr(0, zero), time, limit);
    if (!fits || (zero != std::string_view::npos && text.size() == limit)) {
      throw TimeTextTooLong(fmt::format("the time as text would be longer than {} bytes", limit));
    }
    if (zero == std::string_view::npos) return text;
    text.push_back('\0');
    format.remove_prefix(zero + 1);
  }
}

std::tm local_time(std::time_t seconds) { return broken_down(seconds, localtime_r, "localtime"); }
std::tm utc_time(std::time_t seconds) { return broken_down(seconds, gmtime_r, "gmtime"); }
std::tm local_time(std::chrono::system_clock::time_point moment) {
  return local_time(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(moment)));
}
std::tm utc_time(std::chrono::system_clock::time_point moment) {
  return utc_time(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(moment)));
}

}  // namespace hawser
