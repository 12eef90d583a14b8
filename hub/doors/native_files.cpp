// The home's files, all but their content: list, stat, mkdir, remove, move, sum, du.
#include <utility>

#include <hawser/fiber/offload.h>

#include "hub/doors/native_commands.h"
#include "hub/doors/native_conversation.h"
#include "hub/doors/request_fields.h"

namespace hawser::hub::native {

namespace {

// Gathers entries into frames that stay well below the header's limit, and sends each once it is known whether more
// follow.
class ListingFrames {
 public:
  ListingFrames(NativeConversation& talk, const Frame& request) : talk_(talk), request_(request) {}

  void add(const Entry& entry) {
    Json json = to_json(entry);
    const std::size_t size = json.dump().size() + 1;
    if (gathered_bytes_ > 0 && gathered_bytes_ + size > kFrameBytes) send(true);
    entries_.push_back(std::move(json));
    gathered_bytes_ += size;
  }
  void finish() { send(false); }

 private:
  static constexpr std::size_t kFrameBytes = 32 * 1024;

  void send(bool more) {
    Json reply = NativeConversation::reply_to(request_);
    reply.set("entries", std::exchange(entries_, Json::array()));
    if (more) reply.set("more", true);
    gathered_bytes_ = 0;
    talk_.send(reply);
  }

  NativeConversation& talk_;
  const Frame& request_;
  Json entries_ = Json::array();
  std::size_t gathered_bytes_ = 0;
};

}  // namespace

void list(NativeConversation& talk, const Frame& request) {
  constexpr std::size_t kChunk = 256;
  const Session& session = talk.session();
  const Path path = path_of(request);
  const bool recursive = request.header().get_bool("recursive", false);
  const std::stop_token& cut = talk.services().cut;

  std::vector<Entry> chunk;
  Listing listing = offload([&] {
    Listing opened = talk.services().files.list(session, path, recursive);
    chunk = opened.next(kChunk, cut);
    return opened;
  });
  ListingFrames frames(talk, request);
  while (!chunk.empty()) {
    for (const Entry& entry : chunk) frames.add(entry);
    chunk = offload([&] { return listing.next(kChunk, cut); });
  }
  frames.finish();
}

void stat(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Path path = path_of(request);
  const Entry entry = offload([&] { return talk.services().files.stat(session, path); });
  Json reply = NativeConversation::reply_to(request);
  // Not its keys one by one: "size" in a header is a body's.
  reply.set("entry", to_json(entry));
  talk.send(reply);
}

void mkdir(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Path path = path_of(request);
  const bool parents = request.header().get_bool("parents", false);
  offload([&] { talk.services().files.mkdir(session, path, parents); });
  talk.answer(request);
}

void remove(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Path path = path_of(request);
  const bool recursive = request.header().get_bool("recursive", false);
  offload([&] { talk.services().files.remove(session, path, recursive, talk.services().cut); });
  talk.answer(request);
}

void move(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Path from = path_of(request, "from");
  const Path to = path_of(request, "to");
  offload([&] { talk.services().files.move(session, from, to); });
  talk.answer(request);
}

void sum(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Path path = path_of(request);
  const HashAlgorithm algorithm = parse_hash_algorithm(request["algorithm"].as_string());
  const FileHash hash =
      offload([&] { return talk.services().files.sum(session, path, algorithm, talk.services().cut); });
  Json reply = NativeConversation::reply_to(request);
  reply.set("hash", to_json(hash));
  talk.send(reply);
}

void du(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Path path = path_of(request);
  const DiskUse use = offload([&] { return talk.services().files.du(session, path, talk.services().cut); });
  Json reply = NativeConversation::reply_to(request);
  reply.set("bytes", use.bytes);
  reply.set("files", use.files);
  reply.set("dirs", use.dirs);
  talk.send(reply);
}

}  // namespace hawser::hub::native
