#include "hub/hub.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/address.h>
#include <hawser/sync/event.h>
#include <hawser/tls/certificate.h>
#include <hawser/tls/tls_context.h>

#include "hub/doors/native_door.h"
#include "hub/service/accounts.h"
#include "hub/service/audit.h"
#include "hub/service/commands.h"
#include "hub/service/error.h"
#include "hub/service/files.h"
#include "hub/store/store.h"

namespace hawser::hub {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kCleanUp{60};
constexpr std::chrono::minutes kWriteCounts{1};

AccountOptions account_options(const Options& options) {
  AccountOptions accounts;
  accounts.open_registration = options.open_registration;
  return accounts;
}

RunPolicy policy_of(AllowRun allow) {
  switch (allow) {
    case AllowRun::none:
      return RunPolicy::none;
    case AllowRun::members:
      return RunPolicy::members;
    case AllowRun::admins:
      break;
  }
  return RunPolicy::admins;
}

// What clients may call this machine in a certificate of our own making. Those who pin do not care.
std::vector<std::string> names_of(const Endpoint& endpoint) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  const auto add = [&names](std::string name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  };
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) add(host.data());
  const bool anywhere = endpoint.numeric() && endpoint.numeric()->is_unspecified();
  if (!anywhere && !endpoint.is_unix()) add(endpoint.host());
  return names;
}

// The certificate and key in the root, made at the first start.
TlsContext own_certificate(const fs::path& root, const Endpoint& endpoint) {
  const std::string certificate = root / "hub.crt";
  const std::string key = root / "hub.key";
  if (!fs::exists(certificate) || !fs::exists(key)) {
    generate_certificate({.names = names_of(endpoint)}, certificate, key);
  }
  return TlsContext::server({.certificate_file = certificate, .key_file = key, .alpn = {NativeDoor::kAlpn}});
}

void make_root(const fs::path& root) {
  std::error_code error;
  const bool made = fs::create_directories(root, error);
  if (error) throw SystemError(error.value(), "create", root.native());
  // Only what is ours is made private: a root that was there has the rights somebody gave it.
  if (made) fs::permissions(root, fs::perms::owner_all, error);
}

// Each conversation takes a descriptor, one that moves a file two or three more.
std::size_t connections_that_fit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto descriptors = static_cast<std::size_t>(limit.rlim_cur);
  const std::size_t fit = std::max<std::size_t>(descriptors - std::min<std::size_t>(descriptors / 2, 1024), 1);
  if (fit < wanted) {
    log_line(LogLevel::info, fmt::format("{} descriptors allow {} connections at once", descriptors, fit));
  }
  return std::min(fit, wanted);
}

}  // namespace

struct Hub::Parts {
  explicit Parts(const Options& options)
      : store(open_store(options.root / "hub.db")),
        audit(*store),
        accounts(*store, audit, account_options(options)),
        files(options.root, *store, audit),
        commands(files, audit, {.policy = policy_of(options.allow_run)}),
        services{accounts, files, commands, cut.get_token()} {}

  void listen(const Options& options, std::optional<Listener> listener) {
    NativeDoorOptions door_options;
    const Endpoint endpoint = Endpoint::parse(options.listen);
    if (!options.plain) door_options.tls = offload([&] { return own_certificate(options.root, endpoint); });
    door_options.max_connections = connections_that_fit(options.max_connections);
    door_options.drain = options.drain;
    fingerprint = door_options.tls ? door_options.tls->fingerprint() : "";
    if (listener) {
      door.emplace(std::move(*listener), services, std::move(door_options));
    } else {
      door.emplace(endpoint, services, std::move(door_options));
    }
  }

  [[noreturn]] void keep_clean() {
    for (;;) {
      sleep(kCleanUp);
      try {
        offload([this] {
          accounts.clean_up();
          files.clean_up();
        });
      } catch (const ServiceError& error) {
        log_line(LogLevel::warning, fmt::format("cleaning up: {}", error.what()));
      }
    }
  }

  [[noreturn]] void keep_audit() {
    for (;;) {
      sleep(kWriteCounts);
      offload([this] { audit.write_counts(); });
    }
  }

  std::unique_ptr<Store> store;
  Audit audit;
  Accounts accounts;
  Files files;
  Commands commands;
  std::stop_source cut;
  NativeServices services;
  std::optional<NativeDoor> door;
  std::string fingerprint;
  std::string first_invite;
  Event stop;
};

Hub::Hub(const Options& options, std::optional<Listener> listener) {
  check(options);
  parts_ = offload([&] {
    make_root(options.root);
    auto parts = std::make_unique<Parts>(options);
    if (const auto invite = parts->accounts.first_admin_invite()) parts->first_invite = invite->view();
    return parts;
  });
  parts_->listen(options, std::move(listener));
}

Hub::~Hub() { wipe(parts_->first_invite); }

std::string Hub::address() const { return parts_->door->address().str(); }
std::string Hub::fingerprint() const { return parts_->fingerprint; }
std::string Hub::first_invite() const { return parts_->first_invite; }
std::size_t Hub::connections() const noexcept { return parts_->door->connections(); }

void Hub::serve() {
  const Task<void> serving = spawn([this] { parts_->door->serve(); });
  serving.set_name("door");
  TaskGroup company;
  company.spawn([this, &serving] {
    parts_->stop.wait();
    serving.kill();
  });
  company.spawn([this] { parts_->keep_clean(); });
  company.spawn([this] { parts_->keep_audit(); });
  std::exception_ptr error;
  try {
    serving.join();
  } catch (const std::exception&) {
    // This fiber is asked to stop, and nothing may go on without it.
    error = std::current_exception();
    parts_->cut.request_stop();
    serving.kill();
    const Shield shield;
    serving.join();
  }
  company.cancel();
  company.join();
  const Shield shield;
  offload([this] {
    parts_->audit.write_all_counts();
    parts_->store->flush();
  });
  if (error) std::rethrow_exception(error);
  if (!serving.cancelled()) serving.get();
}

void Hub::drain() { parts_->door->drain(); }

void Hub::stop() noexcept {
  parts_->cut.request_stop();
  parts_->stop.set();
}

}  // namespace hawser::hub
