// Processes share no variable, but they share files: four sell tickets from one number on the disk, without a lock and
// with one.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <string>

#include <hawser/base/fd.h>
#include <hawser/fiber/run.h>
#include <hawser/process/process.h>

using namespace hawser;
using namespace std::chrono_literals;

constexpr int kTickets = 20;

// Sells until none is left; the exit code tells how many that were.
void sell(const std::string& office, bool careful) {
  const UniqueFd file(::open(office.c_str(), O_RDWR | O_CLOEXEC));
  for (int sold = 0;; ++sold) {
    if (careful) ::flock(file.get(), LOCK_EX);  // of the file's, for all who opened it; their end releases it too
    int left = 0;
    if (::pread(file.get(), &left, sizeof left, 0) != sizeof left || left == 0) std::exit(sold);
    sleep(1ms);  // the customer looks for the purse, and another counter reads the same number
    --left;
    if (::pwrite(file.get(), &left, sizeof left, 0) != sizeof left) std::exit(255);
    if (careful) ::flock(file.get(), LOCK_UN);
  }
}

int sold_by_four(bool careful) {
  const std::string office = fmt::format("{}/tickets.{}", std::filesystem::temp_directory_path().string(), ::getpid());
  {
    const UniqueFd file(::open(office.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600));
    if (::write(file.get(), &kTickets, sizeof kTickets) != sizeof kTickets) std::abort();
  }
  std::list<Process> counters;
  for (int i = 0; i < 4; ++i) counters.emplace_back(sell, office, careful).start();
  int sold = 0;
  for (auto& counter : counters) {
    counter.join();
    sold += *counter.exit_code();
  }
  std::filesystem::remove(office);
  return sold;
}

int main() {
  fmt::print("without a lock: {} sold of {}\n", sold_by_four(false), kTickets);
  fmt::print("with a lock:    {} sold of {}\n", sold_by_four(true), kTickets);
}
