#include "hub/service/path.h"

#include <fmt/format.h>

#include <hawser/base/made_once.h>

#include "hub/service/error.h"
#include "hub/service/utf8.h"

namespace hawser::hub {
namespace {

constinit detail::MadeOnce<const std::string> g_home;

// Messages never carry what could upset a terminal.
void check_characters(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    if (character.length == 0) throw ServiceError(ErrorCode::bad_request, "the path is not valid UTF-8");
    if (is_control(character.code)) {
      throw ServiceError(ErrorCode::forbidden, fmt::format("the path has a control character (U+{:04X})",
                                                           static_cast<unsigned>(character.code)));
    }
    text.remove_prefix(character.length);
  }
}

}  // namespace

Path Path::parse(std::string_view wire) {
  if (wire.size() > kMaxBytes) {
    throw ServiceError(ErrorCode::bad_request, fmt::format("the path is longer than {} bytes", kMaxBytes));
  }
  check_characters(wire);
  if (wire.starts_with('/')) {
    throw ServiceError(ErrorCode::forbidden, fmt::format("absolute path: {} (paths begin in your home)", wire));
  }
  Path path;
  path.text_.reserve(wire.size());
  std::size_t parts = 0;
  for (std::string_view rest = wire; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(part.size() == rest.size() ? rest.size() : part.size() + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") throw ServiceError(ErrorCode::forbidden, fmt::format("'..' is not allowed in a path: {}", wire));
    if (part.size() > kMaxName) {
      throw ServiceError(ErrorCode::bad_request, fmt::format("a name is longer than {} bytes: {}", kMaxName, part));
    }
    if (++parts > kMaxParts) {
      throw ServiceError(ErrorCode::bad_request, fmt::format("the path has more than {} parts", kMaxParts));
    }
    if (!path.text_.empty()) path.text_ += '/';
    path.text_ += part;
  }
  path.names_directory_ = path.is_home() || wire.ends_with('/') || wire.ends_with("/.");
  return path;
}

const std::string& Path::shown() const noexcept {
  return is_home() ? g_home.get([] { return std::string("."); }) : text_;
}

std::string_view Path::name() const noexcept {
  const std::string_view text = text_;
  return text.substr(text.rfind('/') + 1);
}

Path Path::parent() const {
  Path path;
  if (const auto slash = text_.rfind('/'); slash != std::string::npos) path.text_ = text_.substr(0, slash);
  path.names_directory_ = true;
  return path;
}

}  // namespace hawser::hub
