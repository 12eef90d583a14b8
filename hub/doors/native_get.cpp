// Files on their way out: get.
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <stop_token>

#include <hawser/fiber/offload.h>

#include "hub/doors/disk_bound.h"
#include "hub/doors/native_commands.h"
#include "hub/doors/native_conversation.h"
#include "hub/doors/pace.h"
#include "hub/doors/request_fields.h"
#include "hub/doors/side_call.h"

namespace hawser::hub::native {

namespace {

// A file up to this is read and hashed in one call on the pool and sent in one frame.
constexpr std::uint64_t kSmall = 64 * 1024;
// What goes out under one deadline.
constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;

DownloadRequest download_of(const Frame& request) {
  DownloadRequest download;
  download.path = path_of(request);
  download.offset = optional_uint(request, "offset").value_or(0);
  download.length = optional_uint(request, "length");
  if (const std::string word = request.header().get_string("hash", ""); !word.empty()) {
    download.hash = parse_hash_algorithm(word);
  }
  return download;
}

Json head_of(const Frame& request, const Download& download) {
  Json head = NativeConversation::reply_to(request);
  head.set("size", download.size());
  head.set("total", download.total());
  set_mtime(head, download.mtime_ns());
  head.set("mode", download.mode());
  return head;
}

void send_hash(NativeConversation& talk, const Frame& request, const std::optional<FileHash>& hash) {
  if (!hash) return;
  Json tail = NativeConversation::reply_to(request);
  tail.set("hash", to_json(*hash));
  talk.send(tail);
}

// All of a small file. Cut short when it has shrunk; finish() then says that it changed.
Bytes read_small(const Download& download) {
  Bytes body = Bytes::uninitialised(static_cast<std::size_t>(download.size()));
  std::size_t filled = 0;
  while (filled < body.size()) {
    const ssize_t got = ::pread(download.fd(), body.data() + filled, body.size() - filled,
                                static_cast<off_t>(download.offset() + filled));
    if (got < 0) throw ServiceError(ErrorCode::internal, "the file cannot be read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  body.truncate(filled);
  return body;
}

// The bytes go out by sendfile(2), or through TLS, while the pool computes the hash beside them.
void send_large(NativeConversation& talk, const Frame& request, DiskBound<Download>& download) {
  std::stop_source given_up;
  const std::stop_callback cut(talk.services().cut, [&given_up] { given_up.request_stop(); });
  struct StopHashing {
    std::stop_source& source;
    ~StopHashing() { source.request_stop(); }
  };

  SideCall hashing;
  const StopHashing stop_first{given_up};  // before the SideCall waits for it
  if (download->hash_missing()) {
    hashing.start([&] { offload([&] { download->hash_now(given_up.get_token()); }); });
  }
  talk.send_head(head_of(request, *download));
  Stream& stream = talk.frames().stream();
  std::uint64_t at = download->offset();
  const std::uint64_t end = at + download->size();
  while (at < end) {
    const std::uint64_t piece = std::min(end - at, kPiece);
    std::uint64_t sent = 0;
    try {
      sent = at_pace(piece, [&] { return stream.send_file(download->fd(), at, piece); });
    } catch (const TooSlow&) {
      throw Broken("the peer reads too slowly");
    }
    if (sent < piece) throw Broken("a file became shorter while it was sent");
    at += sent;
  }
  hashing.finish();
  send_hash(talk, request, offload([&] { return download->finish(given_up.get_token()); }));
}

}  // namespace

void get(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const DownloadRequest wanted = download_of(request);
  const std::stop_token& cut = talk.services().cut;
  Bytes body;
  std::optional<FileHash> hash;
  DiskBound<Download> download(offload([&] {
    Download opened = talk.services().files.begin_download(session, wanted);
    if (opened.size() > 0 && opened.size() <= kSmall) {
      body = read_small(opened);
      opened.update(body.span());
    }
    if (opened.size() <= kSmall) hash = opened.finish(cut);
    return opened;
  }));
  if (download->size() > kSmall) return send_large(talk, request, download);
  talk.send(head_of(request, *download), body);
  send_hash(talk, request, hash);
}

}  // namespace hawser::hub::native
