// communicate(): input and outputs at the same time, so that neither side can wait for the other for ever. In a fiber
// each pipe has a fiber of its own; a plain thread watches all of them with poll(2); without time, either takes only
// what is there. What has been moved is counted at once, so that a wait that ends early loses nothing.
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/process/popen_state.h>

namespace hawser {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} * 1024;
// No more than a pipe holds: somebody who never stops writing must not keep us.
constexpr int kMostChunks = 32;

bool is_open(const std::optional<PipeStream>& stream) { return stream && !stream->closed(); }

int poll_milliseconds(Expiry expiry) {
  const Timeout left = expiry.left();
  if (!left) return -1;
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*left).count();
  return static_cast<int>(std::min<std::int64_t>(milliseconds, 3'600'000));
}

}  // namespace

Output Popen::communicate(BytesView input, Timeout timeout, std::size_t limit) {
  const Expiry expiry = Expiry::of(timeout);
  State& state = *state_;
  if (!state.communicating) {
    if (!input.empty() && !state.in) throw std::logic_error("input for a child whose standard input is not a pipe");
    state.input = Bytes(input.text());
    state.communicating = true;
  } else if (!input.empty()) {
    throw std::logic_error("communicate() goes on with the input it was given first");
  }
  state.limit = limit;
  state.exchange(expiry);
  if (!state.wait(expiry)) {
    throw CommandTimedOut(state.command.argv.front() + ": timed out", state.copy_output());
  }
  return state.take_output();
}

void Popen::State::exchange(Expiry expiry) {
  if (expiry.passed()) {
    exchange_at_once();
  } else if (in_fiber()) {
    exchange_in_fibers(expiry);
  } else {
    exchange_in_thread(expiry);
  }
}

void Popen::State::exchange_at_once() {
  if (is_open(in)) offer_input();
  if (is_open(out) && take_what_is_there(*out, collected_out) == 0) out->close();
  if (is_open(err) && take_what_is_there(*err, collected_err) == 0) err->close();
  if (!is_open(in) && !is_open(out) && !is_open(err)) return;
  check_cancelled();
  throw CommandTimedOut(command.argv.front() + ": timed out", copy_output());
}

void Popen::State::exchange_in_fibers(Expiry expiry) {
  if (!is_open(in) && !is_open(out) && !is_open(err)) return;
  const bool ours_is_nearer = expiry < Deadline::current();
  try {
    const Deadline budget(expiry, "communicate");
    TaskGroup group;
    if (is_open(in)) group.spawn([this] { feed(); });
    if (is_open(out)) group.spawn([this] { collect(*out, collected_out); });
    if (is_open(err)) group.spawn([this] { collect(*err, collected_err); });
    group.join();
  } catch (const DeadlineExceeded&) {
    if (!ours_is_nearer) throw;
    throw CommandTimedOut(command.argv.front() + ": timed out", copy_output());
  }
}

// A child that does not want all of its input is no error.
void Popen::State::feed() {
  try {
    while (sent < input.size()) sent += in->write_some(BytesView(input).from(sent));
  } catch (const SystemError& error) {
    if (error.error_number() != EPIPE) throw;
  }
  in->close();
}

// As much as there is room for. Closes when that was all, or when the child does not want it.
void Popen::State::offer_input() {
  try {
    if (sent < input.size()) {
      sent += static_cast<std::size_t>(std::max<std::ptrdiff_t>(in->try_write(BytesView(input).from(sent)), 0));
    }
    if (sent < input.size()) return;
  } catch (const SystemError& error) {
    if (error.error_number() != EPIPE) throw;
  }
  in->close();
}

// Gives 0 when the end was met, and -1 when there is nothing now.
std::ptrdiff_t Popen::State::take_what_is_there(PipeStream& from, Collected& into) {
  Bytes chunk = Bytes::uninitialised(kChunkBytes);
  std::ptrdiff_t got = -1;
  for (int i = 0; i < kMostChunks && (got = from.try_read(chunk.span())) > 0; ++i) {
    into.add(BytesView(chunk).first(static_cast<std::size_t>(got)), limit);
  }
  return got;
}

void Popen::State::collect(PipeStream& from, Collected& into) {
  Bytes chunk = Bytes::uninitialised(kChunkBytes);
  while (const std::size_t got = from.read_some(chunk.span())) into.add(BytesView(chunk).first(got), limit);
  from.close();
}

void Popen::State::Collected::add(BytesView more, std::size_t limit) {
  const std::size_t room = limit - std::min(limit, bytes.size());
  if (more.size() > room) truncated = true;
  bytes.append(more.first(room).span());
}

void Popen::State::exchange_in_thread(Expiry expiry) {
  const Expiry scope = Deadline::current();
  Bytes chunk = Bytes::uninitialised(kChunkBytes);
  const auto read = [&](PipeStream& from, Collected& into) {
    const auto got = from.try_read(chunk.span());
    if (got > 0) into.add(BytesView(chunk).first(static_cast<std::size_t>(got)), limit);
    if (got == 0) from.close();
  };
  for (;;) {
    if (is_open(in) && sent >= input.size()) in->close();
    if (!is_open(in) && !is_open(out) && !is_open(err)) return;
    std::array<pollfd, 3> watched{{
        {.fd = is_open(in) ? in->fd() : -1, .events = POLLOUT, .revents = 0},
        {.fd = is_open(out) ? out->fd() : -1, .events = POLLIN, .revents = 0},
        {.fd = is_open(err) ? err->fd() : -1, .events = POLLIN, .revents = 0},
    }};
    const int ready = detail::sys::poll(watched.data(), watched.size(), poll_milliseconds(std::min(expiry, scope)));
    if (ready < 0 && errno != EINTR) throw_errno("poll", command.argv.front());
    if (ready <= 0) {
      if (scope.passed()) check_cancelled();
      if (expiry.passed()) throw CommandTimedOut(command.argv.front() + ": timed out", copy_output());
      continue;
    }
    if (watched[0].revents) offer_input();
    if (watched[1].revents) read(*out, collected_out);
    if (watched[2].revents) read(*err, collected_err);
    if (scope.passed()) check_cancelled();
    if (expiry.passed()) throw CommandTimedOut(command.argv.front() + ": timed out", copy_output());
  }
}

void Popen::State::drain() noexcept {
  try {
    if (is_open(out)) static_cast<void>(take_what_is_there(*out, collected_out));
    if (is_open(err)) static_cast<void>(take_what_is_there(*err, collected_err));
  } catch (...) {
    // What can't be read any more is missing from a report on a command that was killed.
  }
}

Output Popen::State::take_output() {
  return {std::exchange(collected_out.bytes, {}), std::exchange(collected_err.bytes, {})};
}

Output Popen::State::copy_output() const { return {collected_out.bytes, collected_err.bytes}; }

}  // namespace hawser
