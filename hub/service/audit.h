// Audit: the one path by which commands, file changes and sign-ins are written down. Never a password, never a token.
//
// Sign-ins and commands are on disk when record() returns; file changes follow within a moment, so that ten thousand
// small files do not wait for as many lines. Refusals that cost the caller nothing are counted, so that nobody fills
// the disk with them (refusal_counts.h). Any thread. Never throws: what cannot be written is logged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/service/error.h"
#include "hub/service/refusal_counts.h"
#include "hub/store/store.h"

namespace hawser::hub {

class Audit {
 public:
  // now: Unix seconds; the system's clock when empty.
  explicit Audit(Store& store, std::function<std::int64_t()> now = {});
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;
  // Writes all counts.
  ~Audit();

  // A sign-in or a command.
  void record(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
              std::string_view result) noexcept;
  // A change to a file.
  void record_change(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
                     std::string_view result) noexcept;
  // A call that was refused, which its caller may repeat without limit: on disk at return when it is the first of its
  // kind, counted when it is not.
  void record_refusal(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
                      ErrorCode code, std::string_view result) noexcept;

  // Writes the counts of refusals whose minute is over. Call it now and then.
  void write_counts() noexcept;
  // Writes all of them.
  void write_all_counts() noexcept;

 private:
  [[nodiscard]] AuditLine line_of(std::string_view user, std::string_view source, std::string_view action,
                                  std::string_view object, std::string_view result) const;
  void write(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
             std::string_view result, bool now) noexcept;
  void write_counted(std::vector<AuditLine> lines);
  Store& store_;
  std::function<std::int64_t()> now_;
  RefusalCounts refusals_;
};

}  // namespace hawser::hub
