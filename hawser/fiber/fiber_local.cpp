#include <hawser/fiber/fiber_local.h>

#include <mutex>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/local_values.h>

namespace hawser::detail {
namespace {

// Slots that are free, and how many there ever were: so many slots a context has at most.
class SlotNumbers {
 public:
  SlotNumbers() { hold_over_fork(mutex_, ForkOrder::inner, nullptr, nullptr); }
  void take(LocalKey& key) {
    std::lock_guard hold(mutex_);
    if (free_.empty()) {
      free_.reserve(made_ + 1);  // so that giving back never allocates
      free_.push_back(made_++);
    }
    key.slot = free_.back();
    free_.pop_back();
    key.generation = ++generation_;
  }
  void give_back(const LocalKey& key) noexcept {
    std::lock_guard hold(mutex_);
    free_.push_back(key.slot);
  }

 private:
  std::mutex mutex_;
  std::vector<std::size_t> free_;
  std::size_t made_ = 0;
  std::uint64_t generation_ = 0;
};

constinit MadeOnce<SlotNumbers> g_numbers;  // keys at namespace scope are destroyed late
[[maybe_unused]] const bool g_made_early = (g_numbers.get(), true);

}  // namespace

LocalKey::LocalKey() { g_numbers.get().take(*this); }
LocalKey::~LocalKey() { g_numbers.get().give_back(*this); }

LocalValues::~LocalValues() {
  while (!slots_.empty()) {
    const std::unique_ptr<LocalValue> last = std::move(slots_.back().value);
    slots_.pop_back();
  }
}

LocalValue* LocalValues::find(const LocalKey& key) const noexcept {
  if (key.slot >= slots_.size() || slots_[key.slot].generation != key.generation) return nullptr;
  return slots_[key.slot].value.get();
}

void LocalValues::put(const LocalKey& key, std::unique_ptr<LocalValue> value) {
  if (key.slot >= slots_.size()) slots_.resize(key.slot + 1);
  Slot& slot = slots_[key.slot];
  slot.generation = key.generation;
  slot.value.swap(value);  // the old one is destroyed when nothing here is half done
}

LocalValue* find_local(const LocalKey& key) noexcept {
  const LocalValues* values = Context::current().locals;
  return values ? values->find(key) : nullptr;
}

void put_local(const LocalKey& key, std::unique_ptr<LocalValue> value) {
  Context& context = Context::current();
  if (!context.locals) {
    if (!value) return;
    if (!context.fiber()) {
      // Destroys a thread's values when it ends; a fiber's go when its task has ended.
      struct ThreadEnd {
        Context& context;
        ~ThreadEnd() { context.destroy_locals(); }
      };
      thread_local ThreadEnd end{context};
      static_cast<void>(&end);
    }
    context.locals = new LocalValues();
  }
  context.locals->put(key, std::move(value));
}

void Context::destroy_locals() noexcept {
  if (!locals) return;
  ++shields;
  delete locals;  // reachable from here meanwhile: a destructor may use what is left
  locals = nullptr;
  --shields;
}

}  // namespace hawser::detail
