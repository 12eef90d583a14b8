#include <hawser/tls/tls_stream.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/tls/file_feed.h>
#include <hawser/tls/record_filler.h>
#include <hawser/tls/tls_session.h>

namespace hawser {
namespace {

using detail::TlsSession;
using namespace std::chrono_literals;

constexpr std::size_t kIdleRead = 4 * 1024;
constexpr Duration kGoodbyeBudget = 500ms;

}  // namespace

class TlsStream::State {
 public:
  State(Stream& lower, const TlsContext& context, std::string_view server_name)
      : lower_(lower), accept_(context.state().accept), session_(context, server_name) {}

  void own(std::unique_ptr<Stream> lower) noexcept { owned_ = std::move(lower); }
  void handshake();
  std::size_t read_some(std::span<std::byte> into);
  std::size_t read_late(LateBuffer& into);
  void write(std::span<const BytesView> parts);
  std::uint64_t send_file(int file, std::uint64_t offset, std::uint64_t count);
  void shutdown_write();
  void close() noexcept;

  [[nodiscard]] TlsSession& session() noexcept { return session_; }
  [[nodiscard]] const Stream& lower() const noexcept { return lower_; }

 private:
  // The right to read or to write; there is one of each.
  class Claim {
   public:
    Claim(std::atomic<bool>& taken, const char* mistake) : taken_(taken) {
      if (taken_.exchange(true, std::memory_order_acquire)) throw std::logic_error(mistake);
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { taken_.store(false, std::memory_order_release); }

   private:
    std::atomic<bool>& taken_;
  };

  void check_open(const char* operation) const;
  void check_writable() const;
  bool fill_input();
  void flush();
  void flush_within_budget() noexcept;
  [[noreturn]] void fail_reading(std::exception_ptr error);

  std::unique_ptr<Stream> owned_;
  Stream& lower_;
  std::function<bool(const std::string&)> accept_;
  TlsSession session_;
  detail::Staging sending_;  // taken from the session, not yet taken by the stream below; the writer's
  std::size_t read_size_ = kIdleRead;
  bool input_ended_ = false;
  bool ended_ = false;
  std::exception_ptr read_failure_;
  std::atomic<bool> reading_{false};
  std::atomic<bool> writing_{false};
  std::atomic<bool> said_goodbye_{false};
  std::atomic<bool> closed_{false};
};

void TlsStream::State::handshake() {
  const std::string with = "TLS handshake with " + lower_.peer() + ": ";
  try {
    for (;;) {
      const TlsSession::Handshake step = session_.handshake();
      if (step == TlsSession::Handshake::needs_verdict) {
        session_.set_verdict(accept_(session_.peer_fingerprint()));
        continue;
      }
      flush();
      if (step == TlsSession::Handshake::done) break;
      if (!fill_input()) throw TlsTruncated("the peer closed the connection");
    }
    if (session_.input().empty()) session_.input().release();
  } catch (const TlsUntrusted& error) {
    flush_within_budget();
    throw TlsUntrusted(with + error.what(), error.fingerprint());
  } catch (const TlsTruncated& error) {
    throw TlsTruncated(with + error.what());
  } catch (const TlsError& error) {
    flush_within_budget();  // the alert that tells the peer why
    throw TlsError(with + error.what());
  }
}

std::size_t TlsStream::State::read_some(std::span<std::byte> into) {
  if (into.empty()) return 0;
  // Memory that is there already.
  class Present final : public LateBuffer {
   public:
    explicit Present(std::span<std::byte> room) noexcept : room_(room) {}
    [[nodiscard]] std::size_t size() const noexcept override { return room_.size(); }
    [[nodiscard]] std::byte* take() noexcept override { return room_.data(); }
    void give_back() noexcept override {}

   private:
    std::span<std::byte> room_;
  };
  Present present(into);
  return read_late(present);
}

std::size_t TlsStream::State::read_late(LateBuffer& into) {
  const Claim claim(reading_, "two readers at once on a TLS stream");
  check_open("read");
  if (read_failure_) std::rethrow_exception(read_failure_);
  if (ended_) return 0;
  try {
    for (;;) {
      std::byte* const room = into.take();
      if (!room) throw std::bad_alloc();
      const TlsSession::Decrypted got = session_.decrypt({room, into.size()});
      if (session_.input().empty()) session_.input().release();
      if (got.what == TlsSession::Read::data) return got.size;
      into.give_back();
      if (got.what == TlsSession::Read::ended) {
        ended_ = true;
        return 0;
      }
      if (!fill_input()) throw TlsTruncated("the connection ended without close_notify");
    }
  } catch (const TlsTruncated& error) {
    fail_reading(std::make_exception_ptr(TlsTruncated("TLS read from " + lower_.peer() + ": " + error.what())));
  } catch (const TlsError& error) {
    fail_reading(std::make_exception_ptr(TlsError("TLS read from " + lower_.peer() + ": " + error.what())));
  }
}

void TlsStream::State::fail_reading(std::exception_ptr error) {
  read_failure_ = std::move(error);
  std::rethrow_exception(read_failure_);
}

// Waits for ciphertext. False at the end of the stream below. Little room while little comes, so that idle connections
// stay small; all of it as soon as a read fills what it was given.
bool TlsStream::State::fill_input() {
  if (input_ended_) return false;
  detail::Staging& input = session_.input();
  input.reserve(read_size_);
  const std::size_t asked = std::min(input.room().size(), read_size_);
  const std::size_t got = lower_.read_some(input.room().first(asked));
  input_ended_ = got == 0;
  input.added(got);
  if (got == asked)
    read_size_ = std::min(read_size_ * 8, detail::kStagingBlock);
  else if (got < asked / 8)
    read_size_ = kIdleRead;
  return got != 0;
}

void TlsStream::State::write(std::span<const BytesView> parts) {
  const Claim claim(writing_, "two writers at once on a TLS stream");
  check_writable();
  flush();
  detail::RecordFiller records(parts);
  while (!records.done()) {
    for (std::size_t batch = 0; batch < TlsSession::kBatch && !records.done();) {
      const std::span<const std::byte> next = records.next(TlsSession::kBatch - batch);
      session_.encrypt(next);
      batch += next.size();
    }
    flush();
  }
}

std::uint64_t TlsStream::State::send_file(int file, std::uint64_t offset, std::uint64_t count) {
  const Claim claim(writing_, "two writers at once on a TLS stream");
  check_writable();
  flush();
  detail::FileFeed feed(file, offset, count);
  detail::Staging plain;
  plain.reserve(std::min<std::uint64_t>(count, TlsSession::kBatch));
  const auto room = plain.room().first(std::min<std::uint64_t>(count, TlsSession::kBatch));
  std::uint64_t sent = 0;
  while (const std::size_t got = feed.read(room)) {
    session_.encrypt(room.first(got));
    flush();
    sent += got;
  }
  return sent;
}

// Sends what is staged. When it ends early, the rest stays staged and goes out before anything else.
void TlsStream::State::flush() {
  for (;;) {
    if (sending_.empty()) {
      sending_.release();
      session_.take_output(sending_);
      if (sending_.empty()) return;
    }
    while (!sending_.empty()) sending_.consume(lower_.write_some(sending_.bytes()));
  }
}

void TlsStream::State::flush_within_budget() noexcept {
  try {
    const Shield shield;
    const Deadline budget(kGoodbyeBudget, "TLS goodbye");
    flush();
  } catch (...) {  // best effort: the peer is gone or does not read
  }
}

void TlsStream::State::check_open(const char* operation) const {
  if (closed_.load(std::memory_order_acquire)) throw SocketClosed(operation, lower_.peer());
}

void TlsStream::State::check_writable() const {
  check_open("write");
  if (said_goodbye_.load(std::memory_order_relaxed)) throw TlsError("TLS write: after shutdown_write");
}

void TlsStream::State::shutdown_write() {
  const Claim claim(writing_, "shutdown_write while a write goes on on a TLS stream");
  check_open("shutdown");
  if (!said_goodbye_.exchange(true)) session_.say_goodbye();
  flush();
  lower_.shutdown_write();
}

void TlsStream::State::close() noexcept {
  if (closed_.exchange(true, std::memory_order_acq_rel)) return;
  if (!writing_.exchange(true, std::memory_order_acquire)) {
    if (!said_goodbye_.exchange(true)) session_.say_goodbye();
    flush_within_budget();
    writing_.store(false, std::memory_order_release);
  }
  lower_.close();
}

TlsStream::TlsStream(Stream& lower, const TlsContext& context, std::string_view server_name)
    : state_(std::make_unique<State>(lower, context, server_name)) {
  state_->handshake();
}

TlsStream::TlsStream(std::unique_ptr<Stream> lower, const TlsContext& context, std::string_view server_name)
    : state_(std::make_unique<State>(*lower, context, server_name)) {
  state_->own(std::move(lower));
  state_->handshake();
}

TlsStream::~TlsStream() { close(); }

std::size_t TlsStream::read_some(std::span<std::byte> into) { return state_->read_some(into); }
std::size_t TlsStream::read_late(LateBuffer& into) { return state_->read_late(into); }

std::size_t TlsStream::write_some(BytesView data) {
  const BytesView taken = data.first(TlsSession::kBatch);
  state_->write({&taken, 1});
  return taken.size();
}

void TlsStream::write_all(BytesView data) { state_->write({&data, 1}); }
void TlsStream::write_all(std::span<const BytesView> parts) { state_->write(parts); }

std::uint64_t TlsStream::send_file(int file, std::uint64_t offset, std::uint64_t count) {
  return state_->send_file(file, offset, count);
}

bool TlsStream::has_buffered() const noexcept { return state_->session().has_plaintext(); }
void TlsStream::shutdown_write() { state_->shutdown_write(); }
void TlsStream::close() noexcept { state_->close(); }
std::string TlsStream::peer() const { return state_->lower().peer(); }
const std::string& TlsStream::alpn() const noexcept { return state_->session().alpn(); }
const std::string& TlsStream::server_name() const noexcept { return state_->session().server_name(); }
const std::string& TlsStream::peer_fingerprint() const noexcept { return state_->session().peer_fingerprint(); }
std::string TlsStream::cipher() const { return state_->session().cipher(); }

}  // namespace hawser
