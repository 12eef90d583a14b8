#include <hawser/task/waiting_worker.h>

#include <memory>

#include <hawser/base/made_once.h>

namespace hawser::detail {
namespace {

struct Mark final : LocalValue {
  explicit Mark(WorkerHost& h) noexcept : host(&h) {}
  WorkerHost* host;
};

constinit MadeOnce<LocalKey> g_key;

}  // namespace

WorkerHost* WorkerHost::of_caller() noexcept {
  const auto* mark = static_cast<Mark*>(find_local(g_key.get()));
  return mark ? mark->host : nullptr;
}

WorkerMark::WorkerMark(WorkerHost& host) { put_local(g_key.get(), std::make_unique<Mark>(host)); }

WorkerMark::~WorkerMark() { put_local(g_key.get(), nullptr); }

}  // namespace hawser::detail
