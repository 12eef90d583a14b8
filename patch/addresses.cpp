// getaddrinfo(3) and getnameinfo(3), off the loop.
#include <arpa/inet.h>
#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <patch/blocking.h>
#include <patch/libc.h>
#include <patch/lookups.h>

namespace hawser::patch {
namespace {

struct AddressQuestion {
  std::optional<std::string> node;
  std::optional<std::string> service;
  std::optional<addrinfo> hints;

  int code = 0;
  int error = 0;
  addrinfo* list = nullptr;

  AddressQuestion(const char* node_name, const char* service_name, const addrinfo* wished) {
    if (node_name) node = node_name;
    if (service_name) service = service_name;
    if (wished) hints = *wished;
  }
  AddressQuestion(const AddressQuestion&) = delete;
  AddressQuestion& operator=(const AddressQuestion&) = delete;
  ~AddressQuestion() {
    if (list) ::freeaddrinfo(list);
  }

  void ask() noexcept {
    code = libc().getaddrinfo(node ? node->c_str() : nullptr, service ? service->c_str() : nullptr,
                              hints ? &*hints : nullptr, &list);
    error = errno;
    if (code != 0) list = nullptr;
  }
};

struct NameQuestion {
  std::vector<char> address;
  std::vector<char> host;
  std::vector<char> service;
  int flags = 0;

  int code = 0;
  int error = 0;

  void ask() noexcept {
    code =
        libc().getnameinfo(reinterpret_cast<const sockaddr*>(address.data()), static_cast<socklen_t>(address.size()),
                           host.empty() ? nullptr : host.data(), static_cast<socklen_t>(host.size()),
                           service.empty() ? nullptr : service.data(), static_cast<socklen_t>(service.size()), flags);
    error = errno;
  }
};

// Nobody needs to be asked for these.
bool is_numeric(const char* node, const addrinfo* hints) noexcept {
  if (!node || (hints && (hints->ai_flags & AI_NUMERICHOST))) return true;
  in6_addr unused{};
  return ::inet_pton(AF_INET, node, &unused) == 1 || ::inet_pton(AF_INET6, node, &unused) == 1;
}

// What the resolver's own errors are for a wait that did not come to an end.
int failure(LookUp outcome) noexcept { return outcome == LookUp::refused ? EAI_SYSTEM : EAI_MEMORY; }

int finish(int code, int error, const KeepErrno& kept) noexcept {
  if (code == EAI_SYSTEM) {
    errno = error;
    return code;
  }
  return kept.succeeded(code);
}

}  // namespace
}  // namespace hawser::patch

using hawser::patch::caller;
using hawser::patch::libc;
using hawser::patch::LookUp;

extern "C" {

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** list) {
  if (!caller() || hawser::patch::is_numeric(node, hints)) return libc().getaddrinfo(node, service, hints, list);
  const hawser::patch::KeepErrno kept;
  try {
    auto question = std::make_shared<hawser::patch::AddressQuestion>(node, service, hints);
    const LookUp outcome = hawser::patch::look_up("getaddrinfo", question);
    if (outcome != LookUp::answered) return hawser::patch::failure(outcome);
    if (question->code == 0) *list = std::exchange(question->list, nullptr);
    return hawser::patch::finish(question->code, question->error, kept);
  } catch (const std::bad_alloc&) {
    return EAI_MEMORY;
  }
}

int getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_size, char* service,
                socklen_t service_size, int flags) {
  if (!caller() || (flags & NI_NUMERICHOST) || !host || host_size == 0 || !address) {
    return libc().getnameinfo(address, size, host, host_size, service, service_size, flags);
  }
  const hawser::patch::KeepErrno kept;
  try {
    auto question = std::make_shared<hawser::patch::NameQuestion>();
    const auto* bytes = reinterpret_cast<const char*>(address);
    question->address.assign(bytes, bytes + size);
    question->host.resize(host_size);
    question->service.resize(service ? service_size : 0);
    question->flags = flags;
    const LookUp outcome = hawser::patch::look_up("getnameinfo", question);
    if (outcome != LookUp::answered) return hawser::patch::failure(outcome);
    if (question->code == 0) {
      std::memcpy(host, question->host.data(), host_size);
      if (service) std::memcpy(service, question->service.data(), service_size);
    }
    return hawser::patch::finish(question->code, question->error, kept);
  } catch (const std::bad_alloc&) {
    return EAI_MEMORY;
  }
}
}
