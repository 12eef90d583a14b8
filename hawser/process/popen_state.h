// What a Popen holds. Internal.
#pragma once

#include <sys/types.h>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/base/clock.h>
#include <hawser/fiber/pollable.h>
#include <hawser/process/child_start.h>
#include <hawser/process/popen.h>
#include <hawser/sync/lock.h>

namespace hawser {

struct Popen::State {
  State(Command what, bool own_group) : command(std::move(what)), has_group(own_group) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  // Kills what still runs, and reaps.
  ~State();

  // As soon as there is a child, for from then on somebody must reap it.
  void adopt(detail::ChildStart::Child child);

  std::optional<int> poll() noexcept;
  // False when the expiry came first. Throws DeadlineExceeded, Cancelled.
  bool wait(Expiry expiry);
  // After SIGKILL: waits for the end whatever happens to the caller.
  void wait_to_the_end() noexcept;
  void send(int signal);
  void send_to_group(int signal);

  // communicate(), by its parts.
  void exchange(Expiry expiry);
  void exchange_at_once();
  void exchange_in_fibers(Expiry expiry);
  void exchange_in_thread(Expiry expiry);
  void feed();
  void offer_input();
  struct Collected {
    Bytes bytes;
    bool truncated = false;
    void add(BytesView more, std::size_t limit);
  };
  void collect(PipeStream& from, Collected& into);
  std::ptrdiff_t take_what_is_there(PipeStream& from, Collected& into);
  // Takes what has been written so far without waiting for more.
  void drain() noexcept;
  [[nodiscard]] Output take_output();
  [[nodiscard]] Output copy_output() const;

  const Command command;
  const bool has_group;
  pid_t pid = -1;
  std::optional<Pollable> pidfd;
  std::optional<PipeStream> in;
  std::optional<PipeStream> out;
  std::optional<PipeStream> err;

  bool communicating = false;
  Bytes input;
  std::size_t sent = 0;
  std::size_t limit = kOutputLimit;
  Collected collected_out;
  Collected collected_err;

 private:
  void keep(int code) noexcept;
  const std::string& name() const noexcept { return command.argv.front(); }

  Lock waiting_;  // one at a time waits on the pidfd, the others for that one
  std::mutex reaping_;
  std::atomic<bool> ended_{false};
  int return_code_ = 0;  // set before ended_
};

}  // namespace hawser
