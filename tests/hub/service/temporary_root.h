// A hub's folder for one test: store, accounts' audit, files, and a session of "anna". Gone with the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

#include "hub/service/audit.h"
#include "hub/service/error.h"
#include "hub/service/files.h"
#include "hub/service/session.h"
#include "hub/store/store.h"

namespace hawser::hub {

// The code that the call fails with; nothing when it does not fail.
template <class F>
std::optional<ErrorCode> code_of(F&& call, std::string* message = nullptr) {
  try {
    call();
  } catch (const ServiceError& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  return std::nullopt;
}

// In memory where that is possible: thousands of rounds need not wait for a disk.
inline std::string make_temporary_folder() {
  const bool in_memory = ::access("/dev/shm", W_OK) == 0;
  std::string pattern =
      (in_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) / "hawser-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

inline std::string read_whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

inline void write_whole(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

inline std::string random_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, size - at));
  }
  return bytes;
}

inline std::span<const std::byte> as_span(std::string_view text) { return std::as_bytes(std::span(text)); }

inline FileHash hash_of(std::string_view text, HashAlgorithm algorithm = HashAlgorithm::xxh3_128) {
  Hasher hasher(algorithm);
  hasher.update(as_span(text));
  return hasher.finish();
}

class TemporaryRoot : public testing::Test {
 protected:
  void SetUp() override {
    root_ = make_temporary_folder();
    start();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(root_);
  }

  void start(FileOptions options = {}) {
    store_ = open_store(root_ / "hub.db");
    audit_ = std::make_unique<Audit>(*store_);
    files_ = std::make_unique<Files>(root_, *store_, *audit_, options);
    files_->mkdir(anna_, {}, true);
    static_cast<void>(files_->open_directory(anna_, {}));
  }
  void stop() {
    files_.reset();
    audit_.reset();
    store_.reset();
  }

  [[nodiscard]] std::filesystem::path home() const { return root_ / "homes" / "anna"; }
  [[nodiscard]] static Path path(std::string_view text) { return Path::parse(text); }

  FileHash put(std::string_view name, std::string_view content) {
    Upload upload = files_->begin_upload(anna_, {.path = path(name), .total = content.size()});
    upload.write(as_span(content));
    return upload.commit();
  }

  // How many uploads lie unfinished.
  [[nodiscard]] std::size_t staged() const {
    const auto folder = root_ / "staging" / "anna";
    if (!std::filesystem::exists(folder)) return 0;
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }

  std::filesystem::path root_;
  Session anna_{.id = 1, .user_id = 1, .user = "anna", .source = "127.0.0.1:5000"};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Audit> audit_;
  std::unique_ptr<Files> files_;
};

}  // namespace hawser::hub
