// Signals by the names that the protocol uses: "SIGINT". See signal(7).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hawser::hub {

// "SIGRTMIN+3" for real-time signals.
[[nodiscard]] std::string signal_name(int signal);
// Nothing when there is no such signal. Real-time signals have no names here.
[[nodiscard]] std::optional<int> signal_number(std::string_view name) noexcept;

}  // namespace hawser::hub
