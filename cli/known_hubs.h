// KnownHubs: the fingerprints of the hubs that were reached before, one line a hub in the file `known_hubs` of the
// config folder, as ssh keeps its hosts:
//
//   hub.example.org:7700 sha256:0123…
//
// Lines that begin with '#' are left alone. A hub is remembered at first use; from then on nothing but the user removes
// its line.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hawser::cli {

class KnownHubs {
 public:
  explicit KnownHubs(const std::filesystem::path& config_folder) : file_(config_folder / "known_hubs") {}

  // The fingerprint of that hub; empty when it is not known.
  [[nodiscard]] std::string find(std::string_view hub) const;
  // Remembers a hub that was not known. Returns false, and changes nothing, when another fingerprint is known for it.
  bool remember(std::string_view hub, std::string_view fingerprint) const;

  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

 private:
  std::filesystem::path file_;
};

}  // namespace hawser::cli
