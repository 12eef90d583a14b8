// Where the command line keeps what it knows: HAWSER_HOME for everything when it is set, else the XDG folders.
//
//   config()  $HAWSER_HOME or $XDG_CONFIG_HOME/hawser   known hubs
//   state()   $HAWSER_HOME or $XDG_STATE_HOME/hawser    signed-in sessions
//   hub()     $HAWSER_HOME/hub or $XDG_DATA_HOME/hawser/hub   what `hawser up` keeps unless told otherwise
//
// Nothing is made by asking.
#pragma once

#include <filesystem>

namespace hawser::cli {

class Home {
 public:
  // Reads the environment. Throws Failure when it says nothing usable (no HOME, no HAWSER_HOME).
  static Home find();

  [[nodiscard]] const std::filesystem::path& config() const noexcept { return config_; }
  [[nodiscard]] const std::filesystem::path& state() const noexcept { return state_; }
  [[nodiscard]] const std::filesystem::path& hub() const noexcept { return hub_; }

 private:
  Home(std::filesystem::path config, std::filesystem::path state, std::filesystem::path hub);
  std::filesystem::path config_, state_, hub_;
};

}  // namespace hawser::cli
