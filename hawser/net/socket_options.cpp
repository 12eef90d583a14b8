#include <hawser/net/socket_options.h>

#include <limits>
#include <stdexcept>

#include <hawser/base/errors.h>

namespace hawser::detail {
namespace {

void set_raw(int fd, int level, int number, const char* name, const void* value, std::size_t size,
             std::string_view shown) {
  if (::setsockopt(fd, level, number, value, static_cast<socklen_t>(size)) < 0) {
    throw_errno("setsockopt", std::string(name).append(" ").append(shown));
  }
}

template <class Raw>
Raw get_raw(int fd, int level, int number, const char* name) {
  Raw value{};
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, number, &value, &size) < 0) throw_errno("getsockopt", name);
  return value;
}

void set_int(int fd, int level, int number, const char* name, long long value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw std::invalid_argument(std::string("setsockopt ") + name + ": " + std::to_string(value) + " is too large");
  }
  const int narrow = static_cast<int>(value);
  set_raw(fd, level, number, name, &narrow, sizeof narrow, std::to_string(narrow));
}

}  // namespace

void set_option(int fd, const SocketOption<bool>& o, bool value) {
  const int number = value ? 1 : 0;
  set_raw(fd, o.level, o.number, o.name, &number, sizeof number, value ? "on" : "off");
}
void set_option(int fd, const SocketOption<int>& o, int value) { set_int(fd, o.level, o.number, o.name, value); }
void set_option(int fd, const SocketOption<std::chrono::seconds>& o, std::chrono::seconds value) {
  set_int(fd, o.level, o.number, o.name, value.count());
}
void set_option(int fd, const SocketOption<std::chrono::milliseconds>& o, std::chrono::milliseconds value) {
  set_int(fd, o.level, o.number, o.name, value.count());
}
void set_option(int fd, const SocketOption<BufferBytes>& o, int value) {
  if (value < 0) throw std::invalid_argument(std::string("setsockopt ") + o.name + ": a size can't be negative");
  set_int(fd, o.level, o.number, o.name, value);
}
void set_option(int fd, const SocketOption<option::Linger>& o, option::Linger value) {
  if (value.wait.count() < 0 || value.wait.count() > std::numeric_limits<int>::max()) {
    throw std::invalid_argument(std::string("setsockopt ") + o.name + ": the wait is out of range");
  }
  const linger raw{.l_onoff = value.on ? 1 : 0, .l_linger = static_cast<int>(value.wait.count())};
  set_raw(fd, o.level, o.number, o.name, &raw, sizeof raw, value.on ? "on" : "off");
}
void set_option(int fd, const SocketOption<std::string>& o, std::string_view value) {
  set_raw(fd, o.level, o.number, o.name, value.data(), value.size(), value);
}

bool get_option(int fd, const SocketOption<bool>& o) { return get_raw<int>(fd, o.level, o.number, o.name) != 0; }
int get_option(int fd, const SocketOption<int>& o) { return get_raw<int>(fd, o.level, o.number, o.name); }
std::chrono::seconds get_option(int fd, const SocketOption<std::chrono::seconds>& o) {
  return std::chrono::seconds(get_raw<int>(fd, o.level, o.number, o.name));
}
std::chrono::milliseconds get_option(int fd, const SocketOption<std::chrono::milliseconds>& o) {
  return std::chrono::milliseconds(get_raw<int>(fd, o.level, o.number, o.name));
}
int get_option(int fd, const SocketOption<BufferBytes>& o) {
  return get_raw<int>(fd, o.level, o.number, o.name) / 2;  // socket(7): the kernel doubles what it is given
}
option::Linger get_option(int fd, const SocketOption<option::Linger>& o) {
  const auto raw = get_raw<linger>(fd, o.level, o.number, o.name);
  return {.on = raw.l_onoff != 0, .wait = std::chrono::seconds(raw.l_linger)};
}
std::string get_option(int fd, const SocketOption<std::string>& o) {
  char text[256] = {};
  socklen_t size = sizeof text - 1;
  if (::getsockopt(fd, o.level, o.number, text, &size) < 0) throw_errno("getsockopt", o.name);
  return text;
}

}  // namespace hawser::detail
