// The text forms of addresses, shared by Address and Endpoint. Internal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::detail {

struct HostPort {
  std::string_view host;  // without brackets
  std::size_t host_at;    // where it begins in the text
  int port;
};

// What part of a text is about, for errors that show all of it.
struct TextPart {
  std::string_view whole;
  std::size_t at = 0;  // where the part begins

  // Throws AddressError; the position is the part's.
  [[noreturn]] void refuse(std::string_view fault, std::size_t position) const;
};

// "HOST:PORT" or "[V6]:PORT"; the port may be missing when there is a default, and then V6 may stand bare. Says nothing
// about the host itself. Throws AddressError.
[[nodiscard]] HostPort split_host_port(std::string_view text, std::optional<int> default_port);

// The port of a host that is written apart from it. Throws AddressError, about the two together.
[[nodiscard]] int port_number(std::string_view host, std::string_view port);

// True for the forms that mean a UNIX path: something with a '/', or an abstract name.
[[nodiscard]] bool is_unix_text(std::string_view text) noexcept;

// Where the "://" of a URL stands, if text begins as one.
[[nodiscard]] std::optional<std::size_t> url_mark(std::string_view text) noexcept;

// The text form of a UNIX name ('@' first when it is abstract), and back. text_position: where in the text a byte of
// the name stands.
[[nodiscard]] std::string unix_text(std::string_view name);
[[nodiscard]] std::string unix_name(std::string_view text);
[[nodiscard]] std::size_t text_position(std::string_view text, std::size_t name_position) noexcept;

// "host:port", with brackets around IPv6.
[[nodiscard]] std::string host_port_text(std::string_view host, std::string_view port);

// Text as it can stand in a message: control characters become \xNN, more than 200 bytes are cut.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace hawser::detail
