// Nothing leaves a home: links, swaps, special files, odd names.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "temporary_root.h"

namespace hawser::hub {
namespace {

namespace fs = std::filesystem;

class EscapeTest : public TemporaryRoot {
 protected:
  void SetUp() override {
    TemporaryRoot::SetUp();
    outside_ = root_ / "outside";
    fs::create_directory(outside_);
    write_whole(outside_ / "secret", "secret");
  }

  // Every operation on the path, by name.
  std::vector<std::pair<std::string, std::function<void()>>> operations(const std::string& text) {
    const Path at = path(text);
    return {
        {"list", [=, this] { static_cast<void>(files_->list(anna_, at, true)); }},
        {"stat", [=, this] { static_cast<void>(files_->stat(anna_, at)); }},
        {"mkdir", [=, this] { files_->mkdir(anna_, at, false); }},
        {"mkdir -p", [=, this] { files_->mkdir(anna_, at, true); }},
        {"remove", [=, this] { files_->remove(anna_, at, false); }},
        {"remove -r", [=, this] { files_->remove(anna_, at, true); }},
        {"move from", [=, this] { files_->move(anna_, at, path("moved")); }},
        {"move to", [=, this] { files_->move(anna_, path("own"), at); }},
        {"sum", [=, this] { static_cast<void>(files_->sum(anna_, at, HashAlgorithm::md5)); }},
        {"du", [=, this] { static_cast<void>(files_->du(anna_, at)); }},
        {"offset", [=, this] { static_cast<void>(files_->upload_offset(anna_, at, 1, std::nullopt)); }},
        {"put", [=, this] { put(text, "x"); }},
        {"get", [=, this] { static_cast<void>(files_->begin_download(anna_, {.path = at})); }},
        {"cwd", [=, this] { static_cast<void>(files_->open_directory(anna_, at)); }},
    };
  }

  // Operations that look at what a link at the end points to.
  static bool follows(const std::string& name) {
    return name == "list" || name == "stat" || name == "sum" || name == "du" || name == "get" || name == "cwd" ||
           name == "mkdir -p";
  }

  fs::path outside_;
};

TEST_F(EscapeTest, a_link_on_the_way_that_leads_outside_is_forbidden_to_all) {
  put("own", "x");
  fs::create_directory_symlink(outside_, home() / "absolute");
  fs::create_directory_symlink("../../outside", home() / "relative");
  fs::create_directory(home() / "d");
  fs::create_directory_symlink("../../../outside", home() / "d" / "up");
  fs::create_directory_symlink("d/up", home() / "chain");
  fs::create_directory_symlink("/", home() / "root");
  fs::create_directory_symlink("/proc/self/root", home() / "magic");
  for (const char* way : {"absolute", "relative", "d/up", "chain", "root", "magic"}) {
    for (const auto& [name, operation] : operations(std::string(way) + "/secret")) {
      EXPECT_EQ(code_of(operation), ErrorCode::forbidden) << name << " " << way;
    }
  }
  EXPECT_EQ(read_whole(outside_ / "secret"), "secret");
  EXPECT_EQ(std::distance(fs::directory_iterator(outside_), {}), 1);
}

TEST_F(EscapeTest, a_link_at_the_end_is_forbidden_to_follow_and_itself_may_be_removed_moved_or_replaced) {
  for (const char* target : {"../../outside/secret", "/etc/passwd", "/proc/self/fd/0", "/proc/self/root"}) {
    for (const auto& [name, operation] : operations("link")) {
      fs::remove_all(home());
      fs::create_directory(home());
      put("own", "x");
      fs::create_symlink(target, home() / "link");
      const auto code = code_of(operation);
      if (follows(name)) {
        EXPECT_EQ(code, ErrorCode::forbidden) << name << " " << target;
      } else {
        EXPECT_TRUE(code == std::nullopt || code == ErrorCode::exists) << name << " " << target;
      }
    }
  }
  EXPECT_EQ(read_whole(outside_ / "secret"), "secret");
}

TEST_F(EscapeTest, links_that_stay_inside_are_followed) {
  fs::create_directories(home() / "a" / "b");
  put("a/b/file", "hello");
  fs::create_directory_symlink("a/b", home() / "short");
  fs::create_directory_symlink("..", home() / "a" / "b" / "up");
  fs::create_symlink("../a/b/file", home() / "a" / "alias");
  EXPECT_EQ(files_->stat(anna_, path("short/file")).size, 5U);
  EXPECT_EQ(files_->stat(anna_, path("a/b/up/b/file")).size, 5U);
  EXPECT_EQ(files_->stat(anna_, path("a/alias")).size, 5U);
  put("short/new", "x");
  EXPECT_TRUE(fs::exists(home() / "a" / "b" / "new"));
}

TEST_F(EscapeTest, a_put_on_a_link_replaces_the_link_and_not_its_target) {
  put("target", "old");
  fs::create_symlink("target", home() / "link");
  fs::create_symlink(outside_ / "secret", home() / "out");
  put("link", "new");
  put("out", "new");
  EXPECT_EQ(read_whole(home() / "target"), "old");
  EXPECT_EQ(read_whole(outside_ / "secret"), "secret");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(home() / "link")));
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(home() / "out")));
}

TEST_F(EscapeTest, links_in_a_circle_end) {
  fs::create_symlink("b", home() / "a");
  fs::create_symlink("a", home() / "b");
  EXPECT_EQ(code_of([&] { static_cast<void>(files_->stat(anna_, path("a"))); }), ErrorCode::forbidden);
  EXPECT_EQ(code_of([&] { static_cast<void>(files_->stat(anna_, path("a/x"))); }), ErrorCode::forbidden);
}

TEST_F(EscapeTest, special_files_are_refused_without_waiting) {
  ASSERT_EQ(::mkfifo((home() / "fifo").c_str(), 0600), 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = home() / "socket";
  ASSERT_LT(name.size(), sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  std::vector<std::string> specials{"fifo", "socket"};
  if (::mknod((home() / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) specials.emplace_back("null");
  for (const auto& special : specials) {
    EXPECT_EQ(code_of([&] { static_cast<void>(files_->sum(anna_, path(special), HashAlgorithm::md5)); }),
              ErrorCode::forbidden)
        << special;
    EXPECT_EQ(code_of([&] { static_cast<void>(files_->begin_download(anna_, {.path = path(special)})); }),
              ErrorCode::forbidden)
        << special;
    EXPECT_EQ(code_of([&] { put(special, "x"); }), ErrorCode::forbidden) << special;
    EXPECT_EQ(code_of([&] { static_cast<void>(files_->list(anna_, path(special), true)); }), ErrorCode::conflict);
    EXPECT_EQ(files_->stat(anna_, path(special)).type, EntryType::other);
  }
}

TEST_F(EscapeTest, a_fifo_is_never_opened) {
  const std::string fifo = home() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::atomic<bool> waiting{false};
  std::atomic<bool> released{false};
  std::thread writer([&] {
    waiting = true;
    const UniqueFd end(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
    released = true;
  });
  while (!waiting) std::this_thread::yield();
  for (int round = 0; round < 5000 && !released; ++round) {
    EXPECT_EQ(code_of([&] { static_cast<void>(files_->begin_download(anna_, {.path = path("fifo")})); }),
              ErrorCode::forbidden);
    EXPECT_EQ(code_of([&] { static_cast<void>(files_->sum(anna_, path("fifo"), HashAlgorithm::md5)); }),
              ErrorCode::forbidden);
    static_cast<void>(files_->list(anna_, path("."), true));
    static_cast<void>(files_->stat(anna_, path("fifo")));
  }
  EXPECT_FALSE(released);
  const UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  writer.join();
}

TEST_F(EscapeTest, odd_names_come_back_as_they_went) {
  for (const std::string& name : {std::string(255, 'x'), std::string("..."), std::string("-rf *"), std::string(" "),
                                  std::string("黑马aB1!"), std::string("e\xcc\x81"), std::string("\xc3\xa9"),
                                  std::string("\xe2\x80\xae"
                                              "txt"),
                                  std::string("%2e%2e"), std::string("CON"), std::string("a:b|c?d*e\"f<g>")}) {
    put(name, name);
    EXPECT_EQ(files_->stat(anna_, path(name)).name, name);
    EXPECT_EQ(read_whole(home() / name), name);
    files_->remove(anna_, path(name), false);
  }
  EXPECT_TRUE(fs::is_empty(home()));
}

TEST_F(EscapeTest, the_staging_area_cannot_be_reached) {
  EXPECT_EQ(code_of([&] { static_cast<void>(Path::parse("../../staging")); }), ErrorCode::forbidden);
  fs::create_directory_symlink("../../staging", home() / "s");
  EXPECT_EQ(code_of([&] { static_cast<void>(files_->list(anna_, path("s"), false)); }), ErrorCode::forbidden);
}

// A racer swaps "way" between a directory of the home and a link to the outside while everything is tried on it.
TEST_F(EscapeTest, a_link_swapped_in_while_we_work_leads_nowhere) {
  const auto way = home() / "way";
  const auto link = home() / "way.link";
  const auto real = home() / "way.dir";
  fs::create_directory(real);
  write_whole(real / "secret", "inside");
  fs::create_directory_symlink("../../outside", link);
  fs::create_directory_symlink("../../outside", way);
  std::atomic<bool> done{false};
  std::thread racer([&] {
    while (!done) {
      ::renameat2(AT_FDCWD, way.c_str(), AT_FDCWD, real.c_str(), RENAME_EXCHANGE);
      ::renameat2(AT_FDCWD, way.c_str(), AT_FDCWD, real.c_str(), RENAME_EXCHANGE);
    }
  });
  int inside = 0;
  int refused = 0;
  const auto attempt = [&](const auto& operation) {
    try {
      operation();
      ++inside;
    } catch (const ServiceError&) {
      ++refused;
    }
  };
  for (int round = 0; round < 2000 || ((inside == 0 || refused == 0) && round < 200'000); ++round) {
    attempt([&] {
      EXPECT_EQ(files_->sum(anna_, path("way/secret"), HashAlgorithm::md5), hash_of("inside", HashAlgorithm::md5));
    });
    attempt([&] {
      const Download download = files_->begin_download(anna_, {.path = path("way/secret")});
      char byte = 0;
      EXPECT_EQ(::pread(download.fd(), &byte, 1, 0), 1);
      EXPECT_EQ(byte, 'i');
    });
    attempt([&] { put("way/new", "x"); });
    attempt([&] { files_->remove(anna_, path("way/new"), false); });
    attempt([&] { files_->mkdir(anna_, path("way/d/e"), true); });
    attempt([&] { files_->remove(anna_, path("way/d"), true); });
  }
  done = true;
  racer.join();
  EXPECT_GT(inside, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(read_whole(outside_ / "secret"), "secret");
  EXPECT_EQ(std::distance(fs::directory_iterator(outside_), {}), 1);
}

// A racer turns a subdirectory into a link to the outside while the tree above it is being removed.
TEST_F(EscapeTest, a_tree_being_removed_never_takes_the_outside_along) {
  for (int round = 0; round < 300; ++round) {
    const auto sub = home() / "tree" / "sub";
    const auto link = home() / "link";
    fs::create_directories(sub / "x");
    write_whole(sub / "secret", "inside");
    fs::remove(link);
    fs::create_directory_symlink(outside_, link);
    std::thread racer([&] {
      for (int n = 0; n < 20; ++n) ::renameat2(AT_FDCWD, sub.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
    });
    static_cast<void>(code_of([&] { files_->remove(anna_, path("tree"), true); }));
    racer.join();
    ASSERT_EQ(read_whole(outside_ / "secret"), "secret");
    fs::remove_all(home() / "tree");
    fs::remove_all(link);
  }
}

}  // namespace
}  // namespace hawser::hub
