// asking_store: runs a function that uses the Store, and turns what the Store throws into a ServiceError.
#pragma once

#include <utility>

#include "hub/service/error.h"
#include "hub/store/store.h"

namespace hawser::hub {

[[noreturn]] void throw_store_error(const StoreError& error);

template <class F>
decltype(auto) asking_store(F&& function) {
  try {
    return std::forward<F>(function)();
  } catch (const StoreError& error) {
    throw_store_error(error);
  }
}

}  // namespace hawser::hub
