// Each case must not compile, and the message must say why: see tests/CMakeLists.txt.
#include <string>
#include <string_view>

#include <hawser/process/connection.h>
#include <hawser/process/process_pool.h>
#include <hawser/process/process_queue.h>

namespace {

int power(int base, int exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }
[[maybe_unused]] int first_of(const int* numbers) { return *numbers; }
[[maybe_unused]] std::string_view name_of(int /*number*/) { return "name"; }

}  // namespace

int main() {
  hawser::ProcessPool pool(1);
#if CASE == 0
  return pool.submit(power, 2, 10).result();  // the one that does compile
#elif CASE == 1
  int captured = 1;
  (void)pool.submit([&captured] { return captured; });
#elif CASE == 2
  int number = 1;
  (void)pool.submit(first_of, &number);
#elif CASE == 3
  (void)pool.submit(name_of, 1);
#elif CASE == 4
  (void)pool.submit(power, 2);
#elif CASE == 5
  (void)pool.submit(power, "two", 10);
#elif CASE == 6
  hawser::ProcessQueue<std::string_view> queue;
#elif CASE == 7
  auto [ours, theirs] = hawser::connection_pair();
  ours.send(&pool);
#elif CASE == 8
  int captured = 1;
  (void)pool.map([captured](int n) { return n + captured; }, std::vector<int>{1});
#endif
}
