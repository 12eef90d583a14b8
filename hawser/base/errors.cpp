#include <hawser/base/errors.h>

#include <cerrno>

namespace hawser {
namespace {

std::string after(std::uint64_t transferred) {
  return transferred ? " after " + std::to_string(transferred) + " bytes" : std::string();
}

}  // namespace

SystemError::SystemError(int error_number, std::string_view operation, std::string_view object)
    : std::system_error(error_number, std::system_category()), operation_(operation), object_(object) {
  message_ = operation_;
  if (!object_.empty()) message_.append(" ").append(object_);
  message_.append(": ").append(code().message());
}

void SystemError::note_transferred(std::uint64_t transferred) { message_ += after(transferred); }

void throw_errno(std::string_view operation, std::string_view object) { throw SystemError(errno, operation, object); }

SocketTimeout::SocketTimeout(const std::string& what, std::size_t transferred)
    : TimedOut(what + after(transferred)), transferred_(transferred) {}

DeadlineExceeded::DeadlineExceeded(const std::string& what, std::uint64_t scope, std::uint64_t transferred)
    : std::runtime_error(what + after(transferred)), scope_(scope), transferred_(transferred) {}

Cancelled::Cancelled(const std::string& what, std::uint64_t transferred)
    : std::runtime_error(what + after(transferred)), transferred_(transferred) {}

SocketClosed::SocketClosed(std::string_view operation, std::string_view object, std::uint64_t transferred)
    : SystemError(EBADF, operation, object), transferred_(transferred) {
  note_transferred(transferred);
}

}  // namespace hawser
