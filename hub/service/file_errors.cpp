#include "hub/service/file_errors.h"

#include <fmt/format.h>

#include <cerrno>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>

#include "hub/service/error.h"

namespace hawser::hub {

void throw_file_error(int error_number, std::string_view shown) {
  const auto fail = [&](ErrorCode code, std::string_view why) {
    throw ServiceError(code, fmt::format("{}: {}", why, shown));
  };
  switch (error_number) {
    case ENOENT:
      fail(ErrorCode::not_found, "no such file");
      break;
    case EEXIST:
      fail(ErrorCode::exists, "there already");
      break;
    case ENOTDIR:
      fail(ErrorCode::conflict, "not a directory");
      break;
    case EISDIR:
      fail(ErrorCode::conflict, "is a directory");
      break;
    case ENOTEMPTY:
      fail(ErrorCode::conflict, "the directory is not empty");
      break;
    case EACCES:
    case EPERM:
      fail(ErrorCode::forbidden, "permission denied");
      break;
    case EROFS:
      fail(ErrorCode::forbidden, "read-only file system");
      break;
    case EXDEV:
      fail(ErrorCode::forbidden, "leads outside the home");
      break;
    case ELOOP:
      fail(ErrorCode::forbidden, "too many links, or one that may not be followed");
      break;
    case ENXIO:  // a fifo that nobody reads, a socket, a device that is not there
    case ENODEV:
      fail(ErrorCode::forbidden, "not a regular file");
      break;
    case ENAMETOOLONG:
      fail(ErrorCode::bad_request, "the name is too long");
      break;
    case EINVAL:
      fail(ErrorCode::bad_request, "not possible here");
      break;
    case ENOSPC:
    case EDQUOT:
      fail(ErrorCode::no_space, "no space left on the hub");
      break;
    case EFBIG:
      fail(ErrorCode::too_large, "larger than a file may be on the hub");
      break;
    case EAGAIN:
    case EBUSY:
    case ETXTBSY:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      fail(ErrorCode::busy, "the hub is busy, try again");
      break;
    default:
      break;
  }
  log_line(LogLevel::error, SystemError(error_number, "file", shown).what());
  throw ServiceError(ErrorCode::internal,
                     fmt::format("{}: {}", SystemError(error_number, "", "").code().message(), shown));
}

void throw_file_error(std::string_view shown) { throw_file_error(errno, shown); }

}  // namespace hawser::hub
