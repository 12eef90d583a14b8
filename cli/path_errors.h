// PathErrors: a command with several paths goes on after one of them has failed, tells each failure, and fails at the
// end.
#pragma once

#include <exception>
#include <string>

#include <hawser/wire/json.h>

#include "cli/failure.h"
#include "cli/report.h"

namespace hawser::cli {

class PathErrors {
 public:
  explicit PathErrors(Report& report) : report_(report) {}

  // Calls work(). A failure that concerns only this path is told; every other (the hub is gone, the session has ended,
  // Ctrl-C, a FinalFailure) is thrown. True when it worked.
  template <class Work>
  bool attempt(const std::string& path, Work&& work) {
    try {
      work();
      return true;
    } catch (const FinalFailure&) {
      throw;
    } catch (const std::exception&) {
      const Failure failure = to_failure(std::current_exception());
      if (failure.exit() != Exit::failed) throw;
      add(path, failure);
      return false;
    }
  }
  void add(const std::string& path, const Failure& failure) {
    report_.fail(path, failure);
    errors_.push_back({{"path", path}, {"code", failure.code()}, {"message", failure.what()}});
    ++count_;
  }

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] int exit_code() const noexcept { return count_ == 0 ? 0 : static_cast<int>(Exit::failed); }
  // Adds "ok" and, when there are some, "error" (the first) and "errors" (all).
  void add_to(Json& result) const {
    result.set("ok", count_ == 0);
    if (count_ == 0) return;
    const Json& first = errors_.as_array().front();
    result.set("error", {{"code", first["code"].as_string()}, {"message", first["message"].as_string()}});
    result.set("errors", errors_);
  }

 private:
  Report& report_;
  Json errors_ = Json::array();
  std::size_t count_ = 0;
};

}  // namespace hawser::cli
