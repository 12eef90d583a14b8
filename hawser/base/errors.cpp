#include <hawser/base/errors.h>

#include <cerrno>

namespace hawser {

SystemError::SystemError(int error_number, std::string_view operation, std::string_view object)
    : std::system_error(error_number, std::system_category()), operation_(operation), object_(object) {
  message_ = operation_;
  if (!object_.empty()) message_.append(" ").append(object_);
  message_.append(": ").append(code().message());
}

void throw_errno(std::string_view operation, std::string_view object) { throw SystemError(errno, operation, object); }

SocketClosed::SocketClosed(std::string_view operation, std::string_view object)
    : SystemError(EBADF, operation, object) {}

}  // namespace hawser
