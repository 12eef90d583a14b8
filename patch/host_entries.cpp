// gethostbyname(3) and its kin, off the loop. What they return points into a buffer: the caller's for those that end in
// _r, the fiber's own for the others, where the C library has one for the whole process.
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/base/made_once.h>
#include <hawser/fiber/fiber_local.h>
#include <patch/blocking.h>
#include <patch/libc.h>
#include <patch/lookups.h>

namespace hawser::patch {
namespace {

struct HostQuestion {
  enum class Kind : std::uint8_t { name, name_of_family, address } kind = Kind::name;
  std::string key;  // the name, or the bytes of the address
  int family = AF_UNSPEC;

  hostent entry{};
  std::vector<char> buffer;
  hostent* found = nullptr;
  int result = 0;
  int host_error = NETDB_INTERNAL;
  int error = 0;

  void ask() noexcept {
    switch (kind) {
      case Kind::name:
        result = libc().gethostbyname_r(key.c_str(), &entry, buffer.data(), buffer.size(), &found, &host_error);
        break;
      case Kind::name_of_family:
        result =
            libc().gethostbyname2_r(key.c_str(), family, &entry, buffer.data(), buffer.size(), &found, &host_error);
        break;
      case Kind::address:
        result = libc().gethostbyaddr_r(key.data(), static_cast<socklen_t>(key.size()), family, &entry, buffer.data(),
                                        buffer.size(), &found, &host_error);
        break;
    }
    error = errno;
  }
};

using Kind = HostQuestion::Kind;

// Where in the copy at `to` lies what is at `pointer` in the original. A few strings lie elsewhere, for good.
template <class T>
T* moved(T* pointer, const std::vector<char>& from, char* to) noexcept {
  const auto* byte = reinterpret_cast<const char*>(pointer);
  const bool inside = byte >= from.data() && byte < from.data() + from.size();
  return inside ? reinterpret_cast<T*>(to + (byte - from.data())) : pointer;
}

void move_list(char**& list, const std::vector<char>& from, char* to) noexcept {
  list = moved(list, from, to);
  for (char** at = list; at && *at; ++at) *at = moved(*at, from, to);
}

void hand_over(const HostQuestion& question, hostent& entry, char* buffer) noexcept {
  std::copy(question.buffer.begin(), question.buffer.end(), buffer);
  entry = question.entry;
  entry.h_name = moved(entry.h_name, question.buffer, buffer);
  move_list(entry.h_aliases, question.buffer, buffer);
  move_list(entry.h_addr_list, question.buffer, buffer);
}

std::shared_ptr<HostQuestion> ask(const char* call, Kind kind, std::string_view key, int family, std::size_t size,
                                  LookUp& outcome) {
  auto question = std::make_shared<HostQuestion>();
  question->kind = kind;
  question->key = key;
  question->family = family;
  question->buffer.resize(size);
  outcome = look_up(call, question);
  return question;
}

// As gethostbyname_r: an errno is the result, and what went wrong with the host is in host_error.
int look_up_host(const char* call, Kind kind, std::string_view key, int family, hostent* entry, char* buffer,
                 std::size_t size, hostent** found, int* host_error) noexcept {
  const KeepErrno kept;
  *found = nullptr;
  *host_error = NETDB_INTERNAL;
  try {
    LookUp outcome = LookUp::impossible;
    const auto question = ask(call, kind, key, family, size, outcome);
    if (outcome == LookUp::refused) return errno;
    if (outcome == LookUp::impossible) return ENOMEM;
    *host_error = question->host_error;
    if (question->found) {
      hand_over(*question, *entry, buffer);
      *found = entry;
    }
    if (question->result != 0) errno = question->error;
    return question->result == 0 ? kept.succeeded(0) : question->result;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

struct OwnEntry {
  hostent entry{};
  std::vector<char> buffer;
};

constinit hawser::detail::MadeOnce<FiberLocal<OwnEntry>> g_own;

// As gethostbyname: null, with h_errno and errno.
hostent* own_entry(const char* call, Kind kind, std::string_view key, int family) noexcept {
  try {
    OwnEntry& mine = *g_own.get();
    if (mine.buffer.empty()) mine.buffer.resize(1024);
    for (;;) {
      hostent* found = nullptr;
      int host_error = 0;
      const int error = look_up_host(call, kind, key, family, &mine.entry, mine.buffer.data(), mine.buffer.size(),
                                     &found, &host_error);
      if (error == ERANGE && host_error == NETDB_INTERNAL && mine.buffer.size() < (std::size_t{1} << 20)) {
        mine.buffer.resize(mine.buffer.size() * 4);
        continue;
      }
      if (!found) h_errno = host_error;
      if (error != 0) errno = error;
      return found;
    }
  } catch (const std::bad_alloc&) {
    h_errno = NETDB_INTERNAL;
    errno = ENOMEM;
    return nullptr;
  }
}

std::string_view bytes_of(const void* address, socklen_t size) {
  return {static_cast<const char*>(address), static_cast<std::size_t>(size)};
}

}  // namespace
}  // namespace hawser::patch

using hawser::patch::caller;
using hawser::patch::Kind;
using hawser::patch::libc;
using hawser::patch::look_up_host;
using hawser::patch::own_entry;

extern "C" {

hostent* gethostbyname(const char* name) {
  if (!caller() || !name) return libc().gethostbyname(name);
  return own_entry("gethostbyname", Kind::name, name, AF_UNSPEC);
}

hostent* gethostbyname2(const char* name, int family) {
  if (!caller() || !name) return libc().gethostbyname2(name, family);
  return own_entry("gethostbyname2", Kind::name_of_family, name, family);
}

hostent* gethostbyaddr(const void* address, socklen_t size, int family) {
  if (!caller() || !address) return libc().gethostbyaddr(address, size, family);
  return own_entry("gethostbyaddr", Kind::address, hawser::patch::bytes_of(address, size), family);
}

int gethostbyname_r(const char* name, hostent* entry, char* buffer, size_t size, hostent** found, int* host_error) {
  if (!caller() || !name) return libc().gethostbyname_r(name, entry, buffer, size, found, host_error);
  return look_up_host("gethostbyname_r", Kind::name, name, AF_UNSPEC, entry, buffer, size, found, host_error);
}

int gethostbyname2_r(const char* name, int family, hostent* entry, char* buffer, size_t size, hostent** found,
                     int* host_error) {
  if (!caller() || !name) return libc().gethostbyname2_r(name, family, entry, buffer, size, found, host_error);
  return look_up_host("gethostbyname2_r", Kind::name_of_family, name, family, entry, buffer, size, found, host_error);
}

int gethostbyaddr_r(const void* address, socklen_t length, int family, hostent* entry, char* buffer, size_t size,
                    hostent** found, int* host_error) {
  if (!caller() || !address) {
    return libc().gethostbyaddr_r(address, length, family, entry, buffer, size, found, host_error);
  }
  return look_up_host("gethostbyaddr_r", Kind::address, hawser::patch::bytes_of(address, length), family, entry, buffer,
                      size, found, host_error);
}
}
