// Path: a place inside a user's home, parsed once from what came over the wire. The only way to name a file to a
// service.
//
// The text is UTF-8, '/'-separated and relative to the home. Empty parts and "." are dropped; "" and "." are the home
// itself. Refused: ".." , NUL and control characters (C0, DEL, C1), a leading '/' (all three `forbidden`, as the
// protocol has it); what is not UTF-8, a part above 255 bytes, a text above 4,096 bytes, more than 128 parts
// (`bad_request`). That a Path is free of ".." is not what keeps it inside: resolution does (home.h).
#pragma once

#include <string>
#include <string_view>

namespace hawser::hub {

class Path {
 public:
  static constexpr std::size_t kMaxBytes = 4096;
  static constexpr std::size_t kMaxName = 255;
  static constexpr std::size_t kMaxParts = 128;

  // The home itself.
  Path() = default;
  // Throws ServiceError.
  static Path parse(std::string_view wire);

  [[nodiscard]] bool is_home() const noexcept { return text_.empty(); }
  // Normal form, without a leading or trailing '/'; empty for the home.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  // For messages: "." for the home.
  [[nodiscard]] const std::string& shown() const noexcept;
  // The last part; empty for the home.
  [[nodiscard]] std::string_view name() const noexcept;
  // All but the last part.
  [[nodiscard]] Path parent() const;
  // The wire text ended in '/': it can only mean a directory.
  [[nodiscard]] bool names_directory() const noexcept { return names_directory_; }

  friend bool operator==(const Path& a, const Path& b) noexcept { return a.text_ == b.text_; }

 private:
  std::string text_;
  bool names_directory_ = false;
};

}  // namespace hawser::hub
