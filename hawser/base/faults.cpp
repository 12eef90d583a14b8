#include <hawser/base/faults.h>

#include <stdexcept>

#ifdef HAWSER_FAULTS

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <memory>
#include <mutex>
#include <vector>

#include <hawser/base/made_once.h>
#include <hawser/base/system_calls.h>

namespace hawser {

struct FaultInjection::Plan {
  struct Rule {
    Rule(const Fault& f, std::uint64_t s) : fault(f), seed(s) {}
    const Fault fault;
    const std::uint64_t seed;
    std::atomic<std::uint64_t> seen{0};
    std::atomic<std::uint64_t> struck{0};
  };
  std::array<std::vector<std::unique_ptr<Rule>>, kSystemCalls> rules;
};

namespace {

using Plan = FaultInjection::Plan;

constinit std::atomic<Plan*> g_plan{nullptr};
constinit thread_local Plan* t_plan = nullptr;
// By descriptor and direction. What lies beyond shares one.
constexpr std::size_t kDescriptors = 65536;
constinit std::array<std::array<std::atomic<bool>, 2>, kDescriptors> g_tampered{};

std::atomic<bool>& tampered_flag(int fd, bool writing) noexcept {
  return g_tampered[std::min(static_cast<std::size_t>(fd), kDescriptors - 1)][writing ? 1 : 0];
}

bool writes(SystemCall call) noexcept {
  switch (call) {
    case SystemCall::accept4:
    case SystemCall::read:
    case SystemCall::recv:
    case SystemCall::recvmmsg:
      return false;
    default:
      return true;
  }
}

// A call may be in the middle of a plan when its FaultInjection ends, so plans are kept.
struct Plans {
  std::mutex mutex;
  std::vector<std::unique_ptr<Plan>> all;
};
constinit detail::MadeOnce<Plans> g_plans;

Plan& keep(std::unique_ptr<Plan> plan) {
  Plans& plans = g_plans.get();
  const std::lock_guard hold(plans.mutex);
  plans.all.push_back(std::move(plan));
  return *plans.all.back();
}

// Steele, Lea and Flood's SplitMix64: a good number out of each counter value, whoever asks.
std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

bool interfere(SystemCall call, std::size_t* size, int fd) noexcept {
  Plan* plan = t_plan ? t_plan : g_plan.load(std::memory_order_acquire);
  if (!plan) return false;
  for (const auto& rule : plan->rules[static_cast<std::size_t>(call)]) {
    const std::uint64_t nth = rule->seen.fetch_add(1, std::memory_order_relaxed) + 1;
    const std::uint64_t dice = mix(rule->seed ^ nth);
    const bool strikes = rule->fault.nth ? rule->fault.nth == nth
                                         : std::ldexp(static_cast<double>(dice >> 11), -53) < rule->fault.probability;
    if (!strikes) continue;
    if (rule->fault.error == Fault::kShort) {
      if (!size || *size < 2) continue;
      *size = 1 + static_cast<std::size_t>(mix(dice) % (*size - 1));
    }
    rule->struck.fetch_add(1, std::memory_order_relaxed);
    if (fd >= 0) tampered_flag(fd, writes(call)).store(true, std::memory_order_relaxed);
    if (rule->fault.error == Fault::kShort) return false;
    errno = rule->fault.error;
    return true;
  }
  return false;
}

}  // namespace

namespace detail::sys {

bool fails(SystemCall call, int fd) noexcept { return interfere(call, nullptr, fd); }
bool fails(SystemCall call, std::size_t& size, int fd) noexcept { return interfere(call, &size, fd); }
bool tampered(int fd, bool writing) noexcept {
  return fd >= 0 && tampered_flag(fd, writing).exchange(false, std::memory_order_relaxed);
}

}  // namespace detail::sys

FaultInjection::FaultInjection(std::initializer_list<Fault> faults, std::uint64_t seed, Scope scope) : scope_(scope) {
  auto plan = std::make_unique<Plan>();
  std::uint64_t rules = 0;
  for (const Fault& fault : faults) {
    if (!(fault.probability >= 0 && fault.probability <= 1)) {
      throw std::invalid_argument("a fault's probability must be 0 to 1");
    }
    plan->rules.at(static_cast<std::size_t>(fault.call))
        .push_back(std::make_unique<Plan::Rule>(fault, mix(seed ^ mix(++rules))));
  }
  if (scope == Scope::thread) {
    if (t_plan) throw std::logic_error("this thread has a FaultInjection already");
    plan_ = t_plan = &keep(std::move(plan));
  } else {
    plan_ = &keep(std::move(plan));
    Plan* none = nullptr;
    if (!g_plan.compare_exchange_strong(none, plan_, std::memory_order_acq_rel)) {
      throw std::logic_error("the process has a FaultInjection already");
    }
  }
}

FaultInjection::~FaultInjection() {
  if (scope_ == Scope::thread) {
    t_plan = nullptr;
  } else {
    g_plan.store(nullptr, std::memory_order_release);
  }
}

std::uint64_t FaultInjection::struck(SystemCall call) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& rule : plan_->rules[static_cast<std::size_t>(call)]) {
    sum += rule->struck.load(std::memory_order_relaxed);
  }
  return sum;
}

std::uint64_t FaultInjection::struck() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t call = 0; call < kSystemCalls; ++call) sum += struck(static_cast<SystemCall>(call));
  return sum;
}

}  // namespace hawser

#else

namespace hawser {

FaultInjection::FaultInjection(std::initializer_list<Fault>, std::uint64_t, Scope scope)
    : plan_(nullptr), scope_(scope) {
  throw std::logic_error("FaultInjection: this build was configured without HAWSER_FAULTS");
}
FaultInjection::~FaultInjection() = default;
std::uint64_t FaultInjection::struck(SystemCall) const noexcept { return 0; }
std::uint64_t FaultInjection::struck() const noexcept { return 0; }

}  // namespace hawser

#endif
