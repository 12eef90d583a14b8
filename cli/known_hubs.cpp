#include "cli/known_hubs.h"

#include <fmt/format.h>

#include "cli/private_file.h"

namespace hawser::cli {
namespace {

std::string find_in(std::string_view text, std::string_view hub) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.starts_with(hub) || line.size() <= hub.size() || line[hub.size()] != ' ') continue;
    std::string_view fingerprint = line.substr(hub.size());
    while (fingerprint.starts_with(' ')) fingerprint.remove_prefix(1);
    return std::string(fingerprint.substr(0, fingerprint.find_first_of(" \r")));
  }
  return {};
}

}  // namespace

std::string KnownHubs::find(std::string_view hub) const { return find_in(read_private_file(file_), hub); }

bool KnownHubs::remember(std::string_view hub, std::string_view fingerprint) const {
  bool fits = true;
  change_private_file(file_, [&](std::string_view before) {
    std::string text(before);
    if (const std::string known = find_in(before, hub); !known.empty()) {
      fits = known == fingerprint;
      return text;
    }
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    return text + fmt::format("{} {}\n", hub, fingerprint);
  });
  return fits;
}

}  // namespace hawser::cli
