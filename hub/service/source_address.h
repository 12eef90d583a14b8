// The address of a peer without its port, to count by: of "127.0.0.1:5000" and "[::1]:5000" what is before the last
// colon, of anything else all of it.
#pragma once

#include <string_view>

namespace hawser::hub {

[[nodiscard]] constexpr std::string_view address_of(std::string_view source) noexcept {
  const auto colon = source.rfind(':');
  const bool has_port = colon != std::string_view::npos && (source.find(':') == colon || source.starts_with('['));
  return source.substr(0, has_port ? colon : source.size()).substr(0, 128);
}

}  // namespace hawser::hub
