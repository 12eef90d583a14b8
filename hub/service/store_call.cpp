#include "hub/service/store_call.h"

#include <hawser/base/log.h>

namespace hawser::hub {

void throw_store_error(const StoreError& error) {
  log_line(LogLevel::error, error.what());
  switch (error.kind()) {
    case StoreError::Kind::full:
      throw ServiceError(ErrorCode::no_space, "no space left for the hub's database");
    case StoreError::Kind::busy:
      throw ServiceError(ErrorCode::busy, "the hub's database is busy");
    case StoreError::Kind::failed:
      break;
  }
  throw ServiceError(ErrorCode::internal, "the hub's database failed; the hub's log says why");
}

}  // namespace hawser::hub
