// What admins do with accounts: invite, users, role, quota. The service refuses everybody else.
#include <hawser/fiber/offload.h>

#include "hub/doors/native_commands.h"
#include "hub/doors/native_conversation.h"
#include "hub/doors/request_fields.h"

namespace hawser::hub::native {

void invite(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const Role role = parse_role(request.header().get_string("role", "member"));
  const Secret made = offload([&] { return talk.services().accounts.create_invite(session, role); });
  Json reply = NativeConversation::reply_to(request);
  reply.set("invite", made.view());
  reply.set("role", to_string(role));
  talk.send(reply);
}

void users(NativeConversation& talk, const Frame& request) {
  constexpr std::uint64_t kMost = 200;
  const Session& session = talk.session();
  const std::string after = request.header().get_string("after", "");
  const auto limit = static_cast<std::size_t>(std::min(request.header().get_uint64("limit", kMost), kMost));
  const auto found = offload([&] { return talk.services().accounts.users(session, after, limit); });
  Json list = Json::array();
  for (const UserInfo& user : found) {
    list.push_back({{"user", user.name},
                    {"roles", Json::array({to_string(user.role)})},
                    {"quota", user.quota_bytes ? Json(*user.quota_bytes) : Json()}});
  }
  Json reply = NativeConversation::reply_to(request);
  reply.set("users", std::move(list));
  talk.send(reply);
}

void role(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const std::string& user = request["user"].as_string();
  const Role role = parse_role(request["role"].as_string());
  offload([&] { talk.services().accounts.set_role(session, user, role); });
  talk.answer(request);
}

void quota(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const std::string& user = request["user"].as_string();
  const auto bytes = optional_uint(request, "bytes");
  offload([&] { talk.services().accounts.set_quota(session, user, bytes); });
  talk.answer(request);
}

}  // namespace hawser::hub::native
