// Audit: the one path by which commands, file changes and sign-ins are written down. Never a password, never a token.
//
// Sign-ins and commands are on disk when record() returns; file changes follow within a moment, so that ten thousand
// small files do not wait for as many lines. Any thread. Never throws: what cannot be written is logged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "hub/store/store.h"

namespace hawser::hub {

class Audit {
 public:
  // now: Unix seconds; the system's clock when empty.
  explicit Audit(Store& store, std::function<std::int64_t()> now = {});

  // A sign-in or a command.
  void record(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
              std::string_view result) noexcept;
  // A change to a file.
  void record_change(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
                     std::string_view result) noexcept;

 private:
  void write(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
             std::string_view result, bool now) noexcept;
  Store& store_;
  std::function<std::int64_t()> now_;
};

}  // namespace hawser::hub
