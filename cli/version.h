// The version of the program, as --version and the protocol's hello say it.
#pragma once

namespace hawser::cli {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace hawser::cli
