// Transfers over several connections side by side: how many, and the work on each of them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "cli/hub_client.h"
#include "hub/service/file_hash.h"

namespace hawser::cli {

struct TransferOptions {
  bool recursive = false;
  bool resume = true;
  std::size_t connections = 0;  // 0: as many as make sense
  hub::HashAlgorithm algorithm = hub::HashAlgorithm::xxh3_128;
};

// How many connections to use for that many files.
[[nodiscard]] std::size_t connections_for(const TransferOptions& options, std::size_t files) noexcept;

// Makes a further connection, signed in.
using Connect = std::function<std::unique_ptr<HubClient>()>;

// Calls work on `count` connections at once, each on a fiber, and again on a new one whenever a connection is spent
// (ConnectionSpent), until it returns with nothing left to do. first is there already, connect makes the others; the
// call with first comes in any case. Throws what work or connect threw first, when all have ended.
void work_side_by_side(std::size_t count, std::unique_ptr<HubClient> first, const Connect& connect,
                       const std::function<bool()>& is_more_to_do, const std::function<void(HubClient&)>& work);

}  // namespace hawser::cli
