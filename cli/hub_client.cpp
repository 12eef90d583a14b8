#include "cli/hub_client.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/net/connect.h>
#include <hawser/tls/tls_context.h>

#include "cli/known_hubs.h"
#include "cli/version.h"

namespace hawser::cli {
namespace {

constexpr std::int64_t kProtocol = 1;

Failure changed_fingerprint(const std::string& hub, const std::string& known, const std::string& shown,
                            const std::string& file) {
  return untrusted(
      fmt::format("{} does not show the certificate that it had before.\n"
                  "  known: {}\n  shown: {}\n"
                  "Either the hub was set up anew, or somebody sits in between. Ask whoever runs the hub for its\n"
                  "fingerprint. If it is the one shown, remove the line of {} from\n{} and try again.",
                  hub, known, shown, hub, file));
}

}  // namespace

void throw_when_refused(const Json& answer) {
  if (answer.get_bool("ok", true)) return;
  const Json* error = answer.find("error");
  if (error == nullptr || !error->is_object()) throw refusal("internal", "the hub refused without a reason");
  throw refusal(error->get_string("code", "internal"), error->get_string("message", "the hub gave no reason"));
}

HubClient::HubClient(const Target& target, const Home& home, Report& report) : target_(target), report_(report) {
  connect(home);
  introduce();
}

HubClient::~HubClient() = default;

void HubClient::connect(const Home& home) {
  const Deadline budget(kConnectTime, "connecting to the hub");
  const std::string name = target_.hub.text();
  std::unique_ptr<Socket> socket;
  try {
    socket = std::make_unique<Socket>(hawser::connect({target_.hub.host, target_.hub.port}));
  } catch (const Cancelled&) {
    throw;
  } catch (const DeadlineExceeded&) {
    throw unreachable(fmt::format("cannot reach the hub: {} did not answer within {} s", name, kConnectTime.count()));
  } catch (const SystemError& error) {
    const bool refused = error.error_number() == ECONNREFUSED;
    throw unreachable(fmt::format("cannot reach the hub: {}{}", error.what(),
                                  refused ? " (is it running? start one with: hawser up)" : ""));
  } catch (const std::exception& error) {
    throw unreachable(fmt::format("cannot reach the hub: {}", error.what()));
  }
  socket->set_keep_alive({});
  if (target_.plain) {
    frames_ = std::make_unique<FrameStream>(std::unique_ptr<Stream>(std::move(socket)));
    return;
  }
  try {
    secure(std::move(socket), home);
  } catch (const TlsUntrusted& stranger) {
    throw untrusted(fmt::format("{} is not to be trusted: {}", name, stranger.what()));
  } catch (const DeadlineExceeded&) {
    throw unreachable(
        fmt::format("{} takes connections, but does not answer (a hub with --plain? then add --plain)", name));
  } catch (const TlsError& error) {
    throw unreachable(
        fmt::format("{} does not speak TLS with us: {} (a hub with --plain? then add --plain)", name, error.what()));
  } catch (const SystemError& error) {
    throw unreachable(
        fmt::format("{} does not speak TLS with us: {} (a hub with --plain? then add --plain)", name, error.what()));
  }
}

void HubClient::secure(std::unique_ptr<Socket> socket, const Home& home) {
  const std::string name = target_.hub.text();
  TlsClientOptions options;
  options.alpn = {"hawser/1"};
  const KnownHubs known_hubs(home.config());
  std::string known;
  if (!target_.ca.empty()) {
    options.ca_file = target_.ca;
  } else if (!target_.pin.empty()) {
    options.pin = target_.pin;
  } else if (known = known_hubs.find(name); !known.empty()) {
    options.pin = known;
  } else {
    options.accept = [&](const std::string& fingerprint) {
      if (!known_hubs.remember(name, fingerprint)) return false;
      report_.say(fmt::format("Met {} for the first time; from now on it must show {}", name, fingerprint));
      return true;
    };
  }
  // What is wrong with a file of ours is not the hub's fault.
  const TlsContext context = [&] {
    try {
      return TlsContext::client(options);
    } catch (const TlsError& error) {
      throw usage_error(fmt::format("--ca: {}", error.what()));
    } catch (const std::invalid_argument&) {
      if (known.empty()) throw;
      throw untrusted(fmt::format("the line of {} in {} holds no fingerprint", name, known_hubs.file().native()));
    }
  }();
  try {
    frames_ = std::make_unique<FrameStream>(std::make_unique<TlsStream>(std::move(socket), context, target_.hub.host));
  } catch (const TlsUntrusted& stranger) {
    if (known.empty()) throw;
    throw changed_fingerprint(name, known, stranger.fingerprint(), known_hubs.file().native());
  }
  report_.detail(fmt::format("Connected to {} over TLS 1.3", name));
}

void HubClient::introduce() {
  ask({{"cmd", "hello"}, {"version", kProtocol}, {"client", std::string("hawser/") + kVersion}});
  hello_awaited_ = true;
}

void HubClient::sign_in() {
  if (!target_.token.empty()) {
    ask({{"cmd", "resume"}, {"token", target_.token}});
    resume_awaited_ = true;
    const bool can_do_otherwise = target_.token_is_saved && !target_.user.empty() && !target_.password.empty();
    if (!can_do_otherwise) return;
    try {
      settle();
      return;
    } catch (const Failure& ended) {
      if (ended.exit() != Exit::not_signed_in) throw;
    }
  }
  if (target_.user.empty() || target_.password.empty())
    throw not_signed_in(fmt::format("not signed in at {} (sign in with: hawser login)", target_.hub.text()));
  request({{"cmd", "login"}, {"user", target_.user}, {"password", target_.password}});
}

Json HubClient::request(Json header) {
  ask(std::move(header));
  return answer().header();
}

void HubClient::ask(Json header) {
  try {
    post(std::move(header));
  } catch (const SystemError&) {
    // The hub's last words may lie there unread; when there are none, reading tells that it is gone.
  }
}

void HubClient::post(Json header, BytesView body) {
  header.set("id", next_id_++);
  frames_->send(header, body);
}

void HubClient::post_header(Json header) {
  header.set("id", next_id_++);
  frames_->send_header(header);
}

Frame HubClient::next_frame(bool patient) {
  settle();
  return receive(patient);
}

Frame HubClient::answer(bool patient) {
  Frame frame = next_frame(patient);
  throw_when_refused(frame.header());
  return frame;
}

void HubClient::settle() {
  if (std::exchange(hello_awaited_, false)) {
    const Frame hello = receive(false);
    throw_when_refused(hello.header());
    if (const auto version = hello["version"].as_int64(); version != kProtocol)
      throw unreachable(
          fmt::format("the hub speaks version {} of the protocol; this program speaks {}", version, kProtocol));
  }
  if (std::exchange(resume_awaited_, false)) {
    const Frame resumed = receive(false);
    try {
      throw_when_refused(resumed.header());
    } catch (const Failure& refused) {
      if (refused.exit() != Exit::not_signed_in) throw;
      throw not_signed_in(
          fmt::format("the session at {} has ended (sign in again with: hawser login)", target_.hub.text()));
    }
    if (target_.user.empty()) target_.user = resumed.header().get_string("user", "");
  }
}

Frame HubClient::receive(bool patient) {
  try {
    if (patient) {
      if (Frame frame = frames_->receive()) return frame;
    } else {
      const Deadline patience(kPatience, "the hub's answer");
      if (Frame frame = frames_->receive()) return frame;
    }
  } catch (const FrameError& garbled) {
    throw unreachable(fmt::format("{} does not speak hawser/1: {}{}", target_.hub.text(), garbled.what(),
                                  target_.plain ? " (a hub with TLS? then leave out --plain)" : ""));
  } catch (const TlsTruncated&) {
    throw unreachable(fmt::format("the connection to {} was cut", target_.hub.text()));
  } catch (const SystemError& error) {
    throw unreachable(fmt::format("lost the connection to {}: {}", target_.hub.text(), error.what()));
  }
  throw unreachable(fmt::format("{} closed the connection", target_.hub.text()));
}

}  // namespace hawser::cli
