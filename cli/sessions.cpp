#include "cli/sessions.h"

#include <algorithm>

#include <hawser/wire/json.h>

#include "cli/private_file.h"

namespace hawser::cli {
namespace {

std::vector<SavedSession> parse(std::string_view text) {
  std::vector<SavedSession> sessions;
  if (text.empty()) return sessions;
  try {
    const Json file = Json::parse(text);
    for (const Json& entry : file["sessions"].as_array())
      sessions.push_back({entry["hub"].as_string(), entry["user"].as_string(), entry["token"].as_string(),
                          entry["expires"].as_int64(), entry.get_bool("plain", false)});
  } catch (const JsonError&) {
    sessions.clear();
  }
  return sessions;
}

std::string dump(const std::vector<SavedSession>& sessions) {
  Json list = Json::array();
  for (const SavedSession& s : sessions)
    list.push_back({{"hub", s.hub}, {"user", s.user}, {"token", s.token}, {"expires", s.expires}, {"plain", s.plain}});
  return Json{{"sessions", std::move(list)}}.dump() + "\n";
}

}  // namespace

std::vector<SavedSession> Sessions::all() const { return parse(read_private_file(file_)); }

std::optional<SavedSession> Sessions::find(std::string_view hub, std::string_view user) const {
  for (const SavedSession& session : all())
    if ((hub.empty() || session.hub == hub) && (user.empty() || session.user == user)) return session;
  return std::nullopt;
}

void Sessions::save(const SavedSession& session) const {
  change_private_file(file_, [&](std::string_view before) {
    auto sessions = parse(before);
    std::erase_if(sessions, [&](const auto& old) { return old.hub == session.hub && old.user == session.user; });
    sessions.insert(sessions.begin(), session);
    if (sessions.size() > kMost) sessions.resize(kMost);
    return dump(sessions);
  });
}

void Sessions::forget(std::string_view hub, std::string_view user) const {
  if (!find(hub, user)) return;
  change_private_file(file_, [&](std::string_view before) {
    auto sessions = parse(before);
    std::erase_if(sessions, [&](const auto& old) { return old.hub == hub && old.user == user; });
    return dump(sessions);
  });
}

}  // namespace hawser::cli
