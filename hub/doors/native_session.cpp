// Who is asking: hello, register, login, resume, logout, passwd, whoami.
#include <hawser/fiber/offload.h>

#include "hub/doors/native_commands.h"
#include "hub/doors/native_conversation.h"
#include "hub/doors/request_fields.h"

namespace hawser::hub::native {

namespace {

constexpr std::int64_t kVersion = 1;

Json roles_of(const Session& session) { return Json::array({to_string(session.role)}); }

// A password, a token or an invite out of the header, wiped when it goes.
Secret secret_of(const Frame& request, std::string_view key) { return Secret(request[key].as_string()); }

}  // namespace

void hello(NativeConversation& talk, const Frame& request) {
  const std::int64_t version = request.header().get_int64("version", kVersion);
  if (version < kVersion) {
    throw ServiceError(ErrorCode::bad_request, "no such version of the protocol; this hub speaks version 1");
  }
  Json reply = NativeConversation::reply_to(request);
  reply.set("version", kVersion);
  reply.set("server", "hawser");
  reply.set("max_header", talk.frames().limits().max_header);
  reply.set("auth", Json::array({"password", "token"}));
  talk.send(reply);
}

void ping(NativeConversation& talk, const Frame& request) { talk.answer(request); }

void register_user(NativeConversation& talk, const Frame& request) {
  const std::string& user = request["user"].as_string();
  const Secret password = secret_of(request, "password");
  const Secret invite(request.header().get_string("invite", ""));
  offload([&] { talk.services().accounts.register_user(user, password.view(), invite.view(), talk.peer()); });
  talk.answer(request);
}

void login(NativeConversation& talk, const Frame& request) {
  const std::string& user = request["user"].as_string();
  const Secret password = secret_of(request, "password");
  SignedIn signed_in = offload([&] { return talk.services().accounts.login(user, password.view(), talk.peer()); });
  Json reply = NativeConversation::reply_to(request);
  reply.set("token", signed_in.token.view());
  reply.set("expires", signed_in.session.expires);
  reply.set("user", signed_in.session.user);
  reply.set("roles", roles_of(signed_in.session));
  talk.sign_in(std::move(signed_in.session));
  talk.send(reply);
}

void resume(NativeConversation& talk, const Frame& request) {
  const Secret token = secret_of(request, "token");
  Session session = offload([&] { return talk.services().accounts.resume(token.view(), talk.peer()); });
  Json reply = NativeConversation::reply_to(request);
  reply.set("user", session.user);
  reply.set("roles", roles_of(session));
  reply.set("expires", session.expires);
  talk.sign_in(std::move(session));
  talk.send(reply);
}

void logout(NativeConversation& talk, const Frame& request) {
  offload([&, &session = talk.session()] { talk.services().accounts.logout(session); });
  talk.sign_out();
  talk.answer(request);
}

void passwd(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Secret old = secret_of(request, "old");
  const Secret fresh = secret_of(request, "new");
  offload([&] { talk.services().accounts.change_password(session, old.view(), fresh.view()); });
  talk.answer(request);
}

void whoami(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  Json reply = NativeConversation::reply_to(request);
  reply.set("user", session.user);
  reply.set("roles", roles_of(session));
  reply.set("expires", session.expires);
  reply.set("quota", session.quota_bytes ? Json(*session.quota_bytes) : Json());
  talk.send(reply);
}

}  // namespace hawser::hub::native
