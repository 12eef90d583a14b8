// Files over TLS.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>

#include "tls/tls_ends.h"

using namespace hawser;
using namespace hawser::test;

namespace {

class TlsFile : public OnBoth {};
INSTANTIATE_TEST_SUITE_P(, TlsFile, testing::Values(On::fibers, On::threads), name_of);

UniqueFd filled(UniqueFd file, const std::string& text) {
  EXPECT_EQ(::pwrite(file.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return file;
}

UniqueFd file_on_disk(const TemporaryFolder& folder, const std::string& text) {
  return filled(UniqueFd(::open((folder / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), text);
}

std::string sent(const UniqueFd& file, std::uint64_t offset, std::uint64_t count, std::uint64_t& reported) {
  const Ends ends = tls_ends();
  std::string got;
  Aside reading([&] { got = read_to_end(*ends.server); });
  reported = ends.client->send_file(file.get(), offset, count);
  ends.client->shutdown_write();
  reading.join();
  return got;
}

}  // namespace

TEST_P(TlsFile, a_range_arrives_whether_it_is_cached_or_not) {
  run_here([] {
    const TemporaryFolder folder;
    const std::string text = some_text(3 << 20);
    const UniqueFd file = file_on_disk(folder, text);
    ::fsync(file.get());
    for (const bool cached : {true, false}) {
      if (!cached) ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
      std::uint64_t reported = 0;
      EXPECT_EQ(sent(file, 1000, 2'500'000, reported), text.substr(1000, 2'500'000));
      EXPECT_EQ(reported, 2'500'000U);
    }
    EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 0) << "the file's own position stays";
  });
}

TEST_P(TlsFile, a_file_in_memory_arrives) {
  run_here([] {
    const std::string text = some_text(1 << 20);
    const UniqueFd file = filled(UniqueFd(::memfd_create("file", MFD_CLOEXEC)), text);
    std::uint64_t reported = 0;
    EXPECT_EQ(sent(file, 0, text.size(), reported), text);
  });
}

TEST_P(TlsFile, a_file_that_ends_early_is_told_by_the_count) {
  run_here([] {
    const TemporaryFolder folder;
    const std::string text = some_text(300'000);
    const UniqueFd file = file_on_disk(folder, text);
    std::uint64_t reported = 0;
    EXPECT_EQ(sent(file, 100'000, 1'000'000, reported), text.substr(100'000));
    EXPECT_EQ(reported, 200'000U);
    EXPECT_EQ(sent(file, 300'000, 1, reported), "");
    EXPECT_EQ(reported, 0U);
    EXPECT_EQ(sent(file, 0, 0, reported), "");
  });
}

TEST_P(TlsFile, what_cannot_be_read_is_an_error_of_the_file) {
  run_here([] {
    const TemporaryFolder folder;
    const Ends ends = tls_ends();
    const UniqueFd directory(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_THROW(ends.client->send_file(directory.get(), 0, 10), SystemError);
    ends.client->write_all("and on");
    EXPECT_EQ(read_exactly(*ends.server, 6), "and on");
  });
}
