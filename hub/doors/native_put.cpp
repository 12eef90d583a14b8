// Files on their way in: offset, put.
#include <algorithm>
#include <exception>
#include <optional>

#include <fmt/format.h>

#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/offload.h>

#include "hub/doors/disk_bound.h"
#include "hub/doors/native_commands.h"
#include "hub/doors/native_conversation.h"
#include "hub/doors/pace.h"
#include "hub/doors/receive_piece.h"
#include "hub/doors/request_fields.h"
#include "hub/doors/side_call.h"

namespace hawser::hub::native {

namespace {

// A file up to this is received whole and then kept with one call on the disk.
constexpr std::size_t kSmall = 64 * 1024;

UploadRequest upload_of(const Frame& request) {
  UploadRequest upload;
  upload.path = path_of(request);
  upload.total = request["total"].as_uint64();
  upload.offset = optional_uint(request, "offset").value_or(0);
  upload.hash = optional_hash(request);
  upload.mtime_ns = optional_mtime(request);
  if (const auto mode = optional_uint(request, "mode")) {
    if (*mode > 07777) throw ServiceError(ErrorCode::bad_request, "\"mode\" is no set of permission bits");
    upload.mode = static_cast<std::uint32_t>(*mode);
  }
  if (upload.offset > upload.total) throw ServiceError(ErrorCode::bad_request, "\"offset\" is beyond \"total\"");
  if (request.body_size() != upload.total - upload.offset) {
    throw ServiceError(ErrorCode::bad_request, fmt::format("\"size\" must be total - offset: {}, not {}",
                                                           upload.total - upload.offset, request.body_size()));
  }
  return upload;
}

FileHash put_small(NativeConversation& talk, const Session& session, const UploadRequest& request) {
  const Bytes body = talk.read_body(kSmall);
  return offload([&] {
    Upload upload = talk.services().files.begin_upload(session, request, talk.services().cut);
    upload.write(body.span());
    return upload.commit();
  });
}

// While one piece is hashed and written on the pool, the next is received.
FileHash put_large(NativeConversation& talk, const Session& session, const UploadRequest& request) {
  const TransferBudget::Share share(talk.budget());
  const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(share.piece(), talk.frames().body_left()));
  Bytes receiving = Bytes::uninitialised(room);
  Bytes writing = Bytes::uninitialised(room);
  DiskBound<Upload> upload(
      offload([&] { return talk.services().files.begin_upload(session, request, talk.services().cut); }));
  SideCall writer;
  std::exception_ptr broken;
  while (!broken && talk.frames().body_left() > 0) {
    std::size_t filled = 0;
    try {
      at_pace(kWorthWriting, [&] { receive_piece(talk.frames(), receiving.span(), filled, [](std::size_t) {}); });
    } catch (const std::exception&) {
      broken = std::current_exception();
    }
    // What has arrived is kept, also when its connection is lost: the client goes on from there.
    std::optional<Shield> shield;
    if (broken) shield.emplace();
    writer.finish();
    std::swap(receiving, writing);
    if (filled == 0) break;
    writer.start([&upload, piece = writing.span().first(filled)] { offload([&] { upload->write(piece); }); });
    if (broken) writer.finish();
  }
  if (broken) std::rethrow_exception(broken);
  writer.finish();
  return offload([&] { return upload->commit(); });
}

}  // namespace

void offset(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Path path = path_of(request);
  const std::uint64_t total = request["total"].as_uint64();
  const auto hash = optional_hash(request);
  const std::uint64_t safe = offload([&] { return talk.services().files.upload_offset(session, path, total, hash); });
  Json reply = NativeConversation::reply_to(request);
  reply.set("offset", safe);
  talk.send(reply);
}

void put(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const UploadRequest upload = upload_of(request);
  const FileHash hash =
      request.body_size() <= kSmall ? put_small(talk, session, upload) : put_large(talk, session, upload);
  Json reply = NativeConversation::reply_to(request);
  reply.set("hash", to_json(hash));
  talk.send(reply);
}

}  // namespace hawser::hub::native
