// A HAWSER_HOME of its own for a test, removed with it; the other variables that the command line reads are unset.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace hawser::cli {

class ScratchHome {
 public:
  ScratchHome() {
    std::string name = (std::filesystem::temp_directory_path() / "hawser-cli-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    ::setenv("HAWSER_HOME", path_.c_str(), 1);
    for (const char* variable : {"HAWSER_HUB", "HAWSER_USER", "HAWSER_PASSWORD", "HAWSER_TOKEN"}) ::unsetenv(variable);
  }
  ScratchHome(const ScratchHome&) = delete;
  ScratchHome& operator=(const ScratchHome&) = delete;
  ~ScratchHome() {
    ::unsetenv("HAWSER_HOME");
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace hawser::cli
