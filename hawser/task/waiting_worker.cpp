#include <hawser/task/waiting_worker.h>

#include <memory>

namespace hawser::detail {
namespace {

struct Mark final : LocalValue {
  explicit Mark(WorkerHost& h) noexcept : host(&h) {}
  WorkerHost* host;
};

// Never destroyed: threads may outlive static destruction.
const LocalKey& key() noexcept {
  static const auto* key = new LocalKey();
  return *key;
}

}  // namespace

WorkerHost* WorkerHost::of_caller() noexcept {
  const auto* mark = static_cast<Mark*>(find_local(key()));
  return mark ? mark->host : nullptr;
}

WorkerMark::WorkerMark(WorkerHost& host) { put_local(key(), std::make_unique<Mark>(host)); }

WorkerMark::~WorkerMark() { put_local(key(), nullptr); }

}  // namespace hawser::detail
