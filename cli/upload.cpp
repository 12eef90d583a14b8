#include "cli/upload.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/offload.h>

#include "cli/local_file.h"
#include "cli/pipeline.h"
#include "cli/remote_files.h"

namespace hawser::cli {
namespace {

// Up to this a file is read whole, and sent without asking whether a part of it is there already.
constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;
constexpr std::size_t kBatchFiles = 64;
constexpr std::uint64_t kBatchBytes = std::uint64_t{4} << 20;
// A large file goes out in pieces, between which progress is shown and a refusal is noticed.
constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;
constexpr std::uint64_t kHashPiece = std::uint64_t{64} << 20;

Json put_header(const UploadJob& job, const FileState& state, const hub::FileHash& hash) {
  Json header = {{"cmd", "put"}, {"path", job.remote}, {"total", state.size}};
  write_mtime_ns(header, state.mtime_ns);
  header.set("mode", state.mode);
  header.set("hash", {{"algorithm", hub::to_string(hash.algorithm)}, {"value", hash.value}});
  return header;
}

// A file that is in memory with all that is to be said of it, or why it is not.
struct Prepared {
  UploadJob job;
  FileState state;
  Bytes content;
  hub::FileHash hash;
  std::exception_ptr error;
  bool has_grown = false;  // beyond what is small
};

Prepared prepare(UploadJob job, hub::HashAlgorithm algorithm) {
  Prepared made{std::move(job), {}, {}, {}, {}};
  try {
    const LocalFile file(made.job.local, made.job.follow);
    made.state = file.state();
    made.has_grown = made.state.size > kSmall;
    if (made.has_grown) return made;
    made.content = file.read(kSmall);
    file.check_unchanged();
    hub::Hasher hasher(algorithm);
    hasher.update(made.content.span());
    made.hash = hasher.finish();
  } catch (const std::exception&) {
    made.error = std::current_exception();
  }
  return made;
}

hub::FileHash hash_of(const LocalFile& file, hub::HashAlgorithm algorithm) {
  hub::Hasher hasher(algorithm);
  // In pieces, so that Ctrl-C is heard in between.
  for (std::uint64_t offset = 0; offset < file.state().size; offset += kHashPiece)
    offload([&] { file.hash(hasher, offset, std::min(kHashPiece, file.state().size - offset)); });
  return hasher.finish();
}

// A file that is on its way, seen by the sending side and by its answer.
struct Flight {
  bool in_body = false;   // not all of it was sent yet
  bool given_up = false;  // reported as failed: not to be sent again
};

}  // namespace

// One connection's part of an upload.
class UploadWorker {
 public:
  UploadWorker(Upload& all, HubClient& hub) : all_(all), pipeline_(hub) {}

  // Until nothing is left to send and all is answered. Throws ConnectionSpent: go on with another connection.
  void work() {
    try {
      while (!all_.jobs_.empty()) {
        if (all_.jobs_.front().size > kSmall) {
          UploadJob job = std::move(all_.jobs_.front());
          all_.jobs_.pop_front();
          send_large(std::move(job));
        } else {
          send_small(take_batch());
        }
      }
      pipeline_.finish();
    } catch (const ConnectionSpent&) {
      pipeline_.hand_back();
      throw;
    }
  }

 private:
  std::vector<UploadJob> take_batch() {
    std::vector<UploadJob> batch;
    std::uint64_t bytes = 0;
    while (!all_.jobs_.empty() && batch.size() < kBatchFiles && bytes < kBatchBytes) {
      if (all_.jobs_.front().size > kSmall) break;
      bytes += all_.jobs_.front().size;
      batch.push_back(std::move(all_.jobs_.front()));
      all_.jobs_.pop_front();
    }
    return batch;
  }

  void send_small(std::vector<UploadJob> batch) {
    std::vector<Prepared> prepared;
    prepared.reserve(batch.size());
    offload([&] {
      for (UploadJob& job : batch) prepared.push_back(prepare(std::move(job), all_.options_.algorithm));
    });
    for (std::size_t i = 0; i < prepared.size(); ++i) {
      Prepared& file = prepared[i];
      try {
        send_prepared(file);
      } catch (const ConnectionSpent&) {
        // This one was handed to the pipeline or not: hand_back() knows. Those behind it certainly were not.
        for (std::size_t later = i + 1; later < prepared.size(); ++later)
          all_.jobs_.push_front(std::move(prepared[later].job));
        throw;
      }
    }
  }

  void send_prepared(Prepared& file) {
    if (file.error) return fail(file.job, to_failure(file.error));
    if (file.has_grown) return send_large(std::move(file.job));
    all_.report_.progress().set_name(base_name(file.job.local));
    post(
        [&](Pipeline::OnAnswer answered, Pipeline::OnLost lost) {
          pipeline_.post(put_header(file.job, file.state, file.hash), file.content, std::move(answered),
                         std::move(lost));
        },
        file.job, file.state.size, 0, file.hash, std::make_shared<Flight>());
    all_.report_.progress().moved(file.state.size);
  }

  void send_large(UploadJob job) {
    Progress& progress = all_.report_.progress();
    progress.set_name(base_name(job.local));
    std::optional<LocalFile> file;
    std::uint64_t sent = 0, offset = 0;
    const auto flight = std::make_shared<Flight>();
    try {
      offload([&] { file.emplace(job.local, job.follow); });
      const hub::FileHash hash = hash_of(*file, all_.options_.algorithm);
      file->check_unchanged();
      Json header = put_header(job, file->state(), hash);
      if (all_.options_.resume) {
        offset =
            pipeline_
                .request({{"cmd", "offset"},
                          {"path", job.remote},
                          {"total", file->state().size},
                          {"hash", {{"algorithm", hub::to_string(hash.algorithm)}, {"value", hash.value}}}})["offset"]
                .as_uint64();
        if (offset > file->state().size) throw refusal("internal", "the hub has more of the file than there is");
      }
      const std::uint64_t size = file->state().size - offset;
      header.set("offset", offset);
      header.set("size", size);
      progress.skipped(offset);
      flight->in_body = true;
      post(
          [&](Pipeline::OnAnswer answered, Pipeline::OnLost lost) {
            pipeline_.post_header(std::move(header), std::move(answered), std::move(lost));
          },
          job, file->state().size, offset, hash, flight);
      while (sent < size) {
        const std::uint64_t piece = std::min(kPiece, size - sent);
        pipeline_.send_file(file->fd(), offset + sent, piece);
        sent += piece;
        progress.moved(piece);
      }
      flight->in_body = false;
    } catch (const ConnectionSpent&) {
      progress.undo(sent, offset);
      throw;
    } catch (const std::exception&) {
      const Failure failure = to_failure(std::current_exception());
      if (failure.exit() != Exit::failed) throw;
      progress.undo(sent, offset);
      fail(job, failure);
      flight->given_up = true;
      // In the middle of a body nothing else can be sent here.
      if (flight->in_body) throw ConnectionSpent();
    }
  }

  // Posts by send(answered, lost) and sees to what becomes of it.
  template <class Send>
  void post(Send&& send, const UploadJob& job, std::uint64_t size, std::uint64_t offset, const hub::FileHash& hash,
            const std::shared_ptr<Flight>& flight) {
    auto answered = [this, job, size, offset, hash, flight](const Frame& answer, FrameStream&) {
      try {
        throw_when_refused(answer.header());
        if (hash_value(answer["hash"]) != hash.value)
          throw refusal("hash_mismatch", "what lies on the hub is not what was sent");
        all_.report_.done(
            {job.local, job.remote, size, offset, std::string(hub::to_string(hash.algorithm)), hash.value});
      } catch (const Failure& refused) {
        if (refused.exit() != Exit::failed) throw;
        // Else the sending side takes back what it has counted.
        if (!flight->in_body) all_.report_.progress().undo(size - offset, offset);
        fail(job, refused.code() == "hash_mismatch" ? changed(refused) : refused);
      }
    };
    auto lost = [this, job, flight] {
      if (!flight->given_up) all_.jobs_.push_front(job);
    };
    send(Pipeline::OnAnswer(std::move(answered)), Pipeline::OnLost(std::move(lost)));
  }

  static Failure changed(const Failure& refused) {
    return refusal(refused.code(), fmt::format("{} (was the file changed while it was sent?)", refused.what()));
  }

  void fail(const UploadJob& job, const Failure& failure) { all_.report_.errors().add(job.local, failure); }

  Upload& all_;
  Pipeline pipeline_;
};

Upload::Upload(const TransferOptions& options, TransferReport& report, Connect connect)
    : options_(options), report_(report), connect_(std::move(connect)) {}

void Upload::send(std::deque<UploadJob> jobs, std::unique_ptr<HubClient> first) {
  jobs_ = std::move(jobs);
  work_side_by_side(
      connections_for(options_, jobs_.size()), std::move(first), connect_, [this] { return !jobs_.empty(); },
      [this](HubClient& hub) { UploadWorker(*this, hub).work(); });
}

}  // namespace hawser::cli
