#include "hub/service/listing.h"

#include <utility>

#include <hawser/base/errors.h>

#include "hub/service/tree_walk.h"
#include "hub/service/utf8.h"

namespace hawser::hub {

Listing::Listing(std::unique_ptr<TreeWalk> walk) : walk_(std::move(walk)) {}
Listing::Listing(Listing&&) noexcept = default;
Listing& Listing::operator=(Listing&&) noexcept = default;
Listing::~Listing() = default;

std::vector<Entry> Listing::next(std::size_t limit, const std::stop_token& stop) {
  std::vector<Entry> entries;
  TreeWalk::Step step;
  while (entries.size() < limit && walk_->next(step)) {
    if (stop.stop_requested()) throw Cancelled("listing: cancelled");
    entries.push_back(to_entry(to_valid_utf8(step.below + step.name), step.status));
  }
  return entries;
}

}  // namespace hawser::hub
