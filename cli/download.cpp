#include "cli/download.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/offload.h>

#include "cli/pipeline.h"
#include "cli/remote_files.h"
#include "hub/doors/receive_piece.h"
#include "hub/doors/side_call.h"

namespace hawser::cli {
namespace {

// Up to this a file is kept in memory until it is whole.
constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;
constexpr std::size_t kBatchFiles = 64;
constexpr std::uint64_t kBatchBytes = std::uint64_t{4} << 20;
// Received while the one before is hashed and written: large, for a hand-over to the pool costs more than a large piece
// loses in the caches.
constexpr std::size_t kPiece = std::size_t{4} << 20;
constexpr std::size_t kHashedAtOnce = 256 * 1024;  // still in the processor's cache when it is written
constexpr std::uint64_t kRereadPiece = std::uint64_t{64} << 20;

// A small file that has arrived.
struct Arrived {
  DownloadJob job;
  Bytes content;
  std::string hash;
  std::int64_t mtime_ns = 0;
  std::uint32_t mode = 0;
  std::exception_ptr error;
};

using Batch = std::vector<Arrived>;

Failure broken_hash() {
  return refusal("hash_mismatch", "what arrived is not what the hub has; nothing was written, try again");
}

// Verifies and writes; errors stay with their files. Blocks.
void land(Batch& batch, hub::HashAlgorithm algorithm) {
  std::string open_path;
  const Landing* open_landing = nullptr;
  UniqueFd folder;
  for (Arrived& file : batch) {
    try {
      hub::Hasher hasher(algorithm);
      hasher.update(file.content.span());
      if (hasher.finish().value != file.hash) throw broken_hash();
      const auto slash = file.job.path.rfind('/');
      const std::string above = slash == std::string::npos ? "" : file.job.path.substr(0, slash);
      if (!folder || open_landing != file.job.landing.get() || above != open_path) {
        if (folder) sync_folder(folder.get());
        folder = file.job.landing->open_folder(above);
        open_landing = file.job.landing.get();
        open_path = above;
      }
      land_file(folder.get(), base_name(file.job.path), file.content, file.mode, file.mtime_ns);
    } catch (const std::exception&) {
      file.error = std::current_exception();
    }
  }
  if (folder) sync_folder(folder.get());
}

// What a part file is a part of: it is gone on with only when all of this is the same.
std::string source_of(const DownloadJob& job, const RemoteEntry& entry, const std::string& hub) {
  Json source = {{"hub", hub}, {"path", job.remote}, {"size", entry.size}};
  write_mtime_ns(source, entry.mtime_ns);
  return source.dump() + "\n";
}

// The callback of a large file uses what is on the stack of who waits for it: that must not be left before the
// callback.
struct StopUnlessDone {
  Pipeline& pipeline;
  bool done = false;
  ~StopUnlessDone() {
    if (!done) pipeline.stop();
  }
};

}  // namespace

// One connection's part of a download.
class DownloadWorker {
 public:
  DownloadWorker(Download& all, HubClient& hub) : all_(all), hub_name_(hub.target().hub.text()), pipeline_(hub) {}

  // Until nothing is left to fetch and all of it has landed.
  void work() {
    try {
      for (;;) {
        while (!all_.jobs_.empty()) {
          DownloadJob job = std::move(all_.jobs_.front());
          all_.jobs_.pop_front();
          if (job.size > kSmall)
            fetch_large(std::move(job));
          else
            ask_for_small(std::move(job));
        }
        pipeline_.finish();
        // A file that has grown comes back as a large one.
        if (all_.jobs_.empty()) break;
      }
      hand_to_disk();
      landing_.finish();
    } catch (const ConnectionSpent&) {
      pipeline_.hand_back();
      hand_to_disk();
      landing_.finish();
      throw;
    }
  }

 private:
  [[nodiscard]] Json get_header(const DownloadJob& job) const {
    return {{"cmd", "get"}, {"path", job.remote}, {"hash", hub::to_string(all_.options_.algorithm)}};
  }

  void ask_for_small(DownloadJob job) {
    Json header = get_header(job);
    auto lost = [this, job] { all_.jobs_.push_front(job); };
    pipeline_.post(
        std::move(header), {},
        [this, job](const Frame& answer, FrameStream& frames) {
          try {
            take_small(job, answer, frames);
          } catch (const Failure& failure) {
            if (failure.exit() != Exit::failed) throw;
            fail(job, failure);
          }
        },
        std::move(lost));
  }

  void take_small(const DownloadJob& job, const Frame& answer, FrameStream& frames) {
    throw_when_refused(answer.header());
    Arrived file{job, {}, {}, read_mtime_ns(answer.header()), mode_of(answer.header()), {}};
    const std::uint64_t total = answer["total"].as_uint64();
    const bool small = answer.body_size() <= kSmall;
    if (small) file.content = frames.read_body_all(kSmall);
    // Behind it comes the hash, or why there is none.
    const Frame tail = frames.receive();
    if (!tail) throw unreachable("the hub closed the connection");
    throw_when_refused(tail.header());
    if (!small) {
      DownloadJob again = job;
      again.size = total;
      all_.jobs_.push_back(std::move(again));
      return;
    }
    if (file.content.size() != total) throw refusal("internal", "the hub sent less than the whole file");
    file.hash = hash_value(tail["hash"]);
    arrived_bytes_ += file.content.size();
    arrived_.push_back(std::move(file));
    if (arrived_.size() >= kBatchFiles || arrived_bytes_ >= kBatchBytes) hand_to_disk();
  }

  // Writes what has arrived, while more is received. Waits for the batch before.
  void hand_to_disk() {
    if (arrived_.empty()) return;
    arrived_bytes_ = 0;
    auto batch = std::make_shared<Batch>(std::exchange(arrived_, {}));
    landing_.start([this, batch] {
      offload([&] { land(*batch, all_.options_.algorithm); });
      for (const Arrived& file : *batch) {
        if (file.error)
          fail(file.job, to_failure(file.error));
        else
          done(file.job, file.content.size(), 0, file.hash);
      }
    });
  }

  void fetch_large(DownloadJob job) {
    all_.report_.progress().set_name(base_name(job.path));
    try {
      // What it is now, not what it was when it was listed.
      const Json answer = pipeline_.request({{"cmd", "stat"}, {"path", job.remote}});
      const RemoteEntry entry = read_entry(answer["entry"]);
      const std::string source = source_of(job, entry, hub_name_);
      std::optional<PartFile> part;
      offload([&] { part.emplace(*job.landing, job.path, source, all_.options_.resume); });
      const bool had_part = part->size() > 0;
      if (fetch_into(*part, job, entry)) return;
      if (had_part) {
        // What lay here was something else, damaged by a crash at worst: once more, from the beginning.
        offload([&] { part->clear(); });
        if (fetch_into(*part, job, entry)) return;
      }
      offload([&] { part->clear(); });
      throw broken_hash();
    } catch (const ConnectionSpent&) {
      throw;
    } catch (const std::exception&) {
      const Failure failure = to_failure(std::current_exception());
      if (failure.exit() != Exit::failed) throw;
      fail(job, failure);
    }
  }

  // Fetches what is missing. False when the whole does not have the hub's hash; else it is in its place.
  bool fetch_into(PartFile& part, const DownloadJob& job, const RemoteEntry& entry) {
    hub::Hasher hasher(all_.options_.algorithm);
    if (part.size() > entry.size) offload([&] { part.clear(); });
    const std::uint64_t offset = part.size();
    reread(part, hasher);
    Progress& progress = all_.report_.progress();
    progress.skipped(offset);
    Json header = get_header(job);
    header.set("offset", offset);
    std::string hash, own;
    std::uint32_t mode = 0;
    std::exception_ptr failed;
    StopUnlessDone borrowed{pipeline_};
    pipeline_.post(std::move(header), {}, [&](const Frame& answer, FrameStream& frames) {
      try {
        throw_when_refused(answer.header());
        if (answer["total"].as_uint64() != entry.size || read_mtime_ns(answer.header()) != entry.mtime_ns) {
          failed = std::make_exception_ptr(refusal("conflict", "the file was changed on the hub while it was fetched"));
        } else {
          mode = mode_of(answer.header());
          receive_body(part, hasher, frames);
          own = hasher.finish().value;
        }
        frames.skip_body();
        const Frame tail = frames.receive();
        if (!tail) throw unreachable("the hub closed the connection");
        throw_when_refused(tail.header());
        hash = hash_value(tail["hash"]);
      } catch (const std::exception&) {
        failed = std::current_exception();
        if (to_failure(failed).exit() != Exit::failed) throw;
        // It concerns only this file; but the rest of it may be long, and nobody wants it.
        if (frames.body_left() > 0) throw ConnectionSpent();
      }
    });
    try {
      pipeline_.finish();
    } catch (const ConnectionSpent&) {
      if (failed) fail(job, to_failure(failed));
      throw;
    }
    borrowed.done = true;
    if (failed) {
      progress.undo(part.size() - offset, offset);
      std::rethrow_exception(failed);
    }
    if (part.size() != entry.size || own != hash) {
      progress.undo(part.size() - offset, offset);
      return false;
    }
    offload([&] { part.settle(mode, entry.mtime_ns); });
    done(job, entry.size, offset, hash);
    return true;
  }

  // Brings the hash up to what lies in the part file.
  static void reread(const PartFile& part, hub::Hasher& hasher) {
    Bytes piece = Bytes::uninitialised(kPiece);
    for (std::uint64_t at = 0; at < part.size();) {
      offload([&] {
        const std::uint64_t end = std::min(part.size(), at + kRereadPiece);
        while (at < end) {
          const std::size_t got = part.read(piece.span(), at);
          if (got == 0) throw local_failure("the part file became shorter while it was read");
          hasher.update(piece.span().first(got));
          at += got;
        }
      });
    }
  }

  // While one piece is hashed and written, the next is received. What came before an error is kept.
  void receive_body(PartFile& part, hub::Hasher& hasher, FrameStream& frames) {
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, frames.body_left()));
    Bytes receiving = Bytes::uninitialised(room), writing = Bytes::uninitialised(room);
    hub::SideCall writer;
    std::exception_ptr broken;
    while (!broken && frames.body_left() > 0) {
      std::size_t filled = 0;
      try {
        hub::receive_piece(frames, receiving.span(), filled,
                           [this](std::size_t got) { all_.report_.progress().moved(got); });
      } catch (const std::exception&) {
        broken = std::current_exception();
      }
      std::optional<Shield> shield;
      if (broken) shield.emplace();
      writer.finish();
      std::swap(receiving, writing);
      writer.start([&part, &hasher, piece = BytesView(writing).first(filled)] {
        offload([&] {
          for (std::size_t at = 0; at < piece.size(); at += kHashedAtOnce) {
            const BytesView some = piece.from(at).first(kHashedAtOnce);
            hasher.update(some.span());
            part.write(some);
          }
        });
      });
      if (broken) writer.finish();
    }
    if (broken) std::rethrow_exception(broken);
    writer.finish();
  }

  static std::uint32_t mode_of(const Json& header) {
    return static_cast<std::uint32_t>(header.get_uint64("mode", 0644) & 0777U);
  }

  void done(const DownloadJob& job, std::uint64_t size, std::uint64_t offset, const std::string& hash) {
    // Large ones are counted while they arrive.
    if (size <= kSmall && offset == 0 && job.size <= kSmall) {
      all_.report_.progress().set_name(base_name(job.path));
      all_.report_.progress().moved(size);
    }
    all_.report_.done(
        {job.remote, job.shown, size, offset, std::string(hub::to_string(all_.options_.algorithm)), hash});
  }
  void fail(const DownloadJob& job, const Failure& failure) { all_.report_.errors().add(job.remote, failure); }

  Download& all_;
  std::string hub_name_;
  Batch arrived_;
  std::uint64_t arrived_bytes_ = 0;
  hub::SideCall landing_;
  // Last, so that its fiber ends before what it uses goes.
  Pipeline pipeline_;
};

Download::Download(const TransferOptions& options, TransferReport& report, Connect connect)
    : options_(options), report_(report), connect_(std::move(connect)) {}

void Download::fetch(std::deque<DownloadJob> jobs, std::unique_ptr<HubClient> first) {
  jobs_ = std::move(jobs);
  work_side_by_side(
      connections_for(options_, jobs_.size()), std::move(first), connect_, [this] { return !jobs_.empty(); },
      [this](HubClient& hub) { DownloadWorker(*this, hub).work(); });
}

}  // namespace hawser::cli
