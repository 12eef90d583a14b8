#include "cli/remote_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "hub/service/path.h"

namespace hawser::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Bytes of the UTF-8 character that begins text.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80) ++size;
  return size;
}

// A backslash is itself, except where it takes the meaning from a star or a question mark.
bool is_escape(std::string_view text, std::size_t at) {
  return text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '*' || text[at + 1] == '?');
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_escape(text, i)) ++i;
    plain += text[i];
  }
  return plain;
}

// What an entry keeps that can be of any length.
std::uint64_t size_of(const RemoteEntry& entry) {
  return entry.name.size() + entry.type.size() + (entry.hash ? entry.hash->dump().size() : 0);
}

}  // namespace

std::int64_t read_mtime_ns(const Json& json) {
  const Json* mtime = json.find("mtime");
  if (mtime == nullptr || mtime->is_null()) return 0;
  const double seconds = mtime->as_double();
  constexpr double kLatest = 9.2e9;
  if (!(seconds > -kLatest && seconds < kLatest)) return 0;
  return static_cast<std::int64_t>(seconds) * kSecond + json.get_int64("mtime_ns", 0);
}

void write_mtime_ns(Json& json, std::int64_t mtime_ns) {
  std::int64_t seconds = mtime_ns / kSecond, rest = mtime_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  json.set("mtime", seconds);
  if (rest != 0) json.set("mtime_ns", rest);
}

RemoteEntry read_entry(const Json& json) {
  RemoteEntry entry;
  entry.name = json["name"].as_string();
  entry.type = json["type"].as_string();
  entry.size = json.get_uint64("size", 0);
  entry.mtime_ns = read_mtime_ns(json);
  entry.mode = static_cast<std::uint32_t>(json.get_uint64("mode", 0644));
  if (const Json* hash = json.find("hash"); hash != nullptr && !hash->is_null()) entry.hash = *hash;
  return entry;
}

std::string hash_value(const Json& hash) { return hash.is_string() ? hash.as_string() : hash["value"].as_string(); }

std::string normal_path(std::string_view text) { return hub::Path::parse(text).text(); }

std::string join_path(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  if (name.empty()) return std::string(folder);
  return fmt::format("{}/{}", folder, name);
}

std::string base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string shown_path(std::string_view path) { return path.empty() ? "." : std::string(path); }

std::vector<RemoteEntry> list_folder(HubClient& hub, const std::string& path, bool recursive) {
  Json request = {{"cmd", "list"}, {"path", path}};
  if (recursive) request.set("recursive", true);
  hub.ask(std::move(request));
  std::vector<RemoteEntry> entries;
  for (bool more = true; more;) {
    const Frame frame = hub.answer();
    const std::size_t before = entries.size();
    std::uint64_t bytes = 0;
    for (const Json& entry : frame["entries"].as_array()) {
      entries.push_back(read_entry(entry));
      bytes += size_of(entries.back());
    }
    hub.listing_limit().count(entries.size() - before, bytes);
    more = frame.header().get_bool("more", false);
  }
  return entries;
}

RemoteEntry stat_path(HubClient& hub, const std::string& path) {
  const Json answer = hub.request({{"cmd", "stat"}, {"path", path}});
  const Json* entry = answer.find("entry");
  return read_entry(entry != nullptr ? *entry : answer);
}

std::optional<RemoteEntry> find_entry(HubClient& hub, const std::string& path) {
  try {
    return stat_path(hub, path);
  } catch (const Failure& failure) {
    // A file where a folder was expected on the way: there is nothing of that name either.
    if (failure.code() != "not_found" && failure.code() != "conflict") throw;
    return std::nullopt;
  }
}

bool is_pattern(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_escape(text, i))
      ++i;
    else if (text[i] == '*' || text[i] == '?')
      return true;
  }
  return false;
}

bool matches(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  // Where to go on when what follows the last star did not match.
  std::size_t p = 0, n = 0, star = std::string_view::npos, retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      retry = n;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      n += character_size(name.substr(n));
      continue;
    }
    const bool escaped = p < pattern.size() && is_escape(pattern, p);
    if (p < pattern.size() && pattern[escaped ? p + 1 : p] == name[n]) {
      p += escaped ? 2 : 1;
      ++n;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    n = retry += character_size(name.substr(retry));
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> expand(HubClient& hub, const std::string& text) {
  if (!is_pattern(text)) return {normal_path(unescaped(text))};
  std::vector<std::string> found{""};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    std::vector<std::string> next;
    for (const std::string& folder : found) {
      if (!is_pattern(part)) {
        next.push_back(normal_path(join_path(folder, unescaped(part))));
        continue;
      }
      try {
        for (const RemoteEntry& entry : list_folder(hub, folder, false))
          if (matches(part, entry.name) && (end == text.size() || !entry.is_file()))
            next.push_back(join_path(folder, entry.name));
      } catch (const Failure& failure) {
        if (failure.code() != "not_found" && failure.code() != "conflict") throw;
      }
    }
    found = std::move(next);
  }
  // What follows a pattern may not be there in every folder that matched.
  if (const auto slash = text.rfind('/'); slash != std::string::npos && !is_pattern(text.substr(slash)))
    std::erase_if(found, [&](const std::string& path) { return !find_entry(hub, path); });
  if (found.empty()) throw refusal("not_found", fmt::format("nothing matches: {}", text));
  std::ranges::sort(found);
  return found;
}

std::vector<std::string> expand(HubClient& hub, const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const std::string& text : texts) std::ranges::move(expand(hub, text), std::back_inserter(all));
  return all;
}

}  // namespace hawser::cli
