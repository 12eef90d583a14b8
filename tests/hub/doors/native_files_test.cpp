// Files over the wire: listings, uploads, downloads, resume.
#include <fstream>
#include <set>
#include <string>

#include "hub/doors/door_fixture.h"

namespace hawser::hub {
namespace {

std::string content(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

Json hash_of(const std::string& bytes, HashAlgorithm algorithm = HashAlgorithm::sha256) {
  Hasher hasher(algorithm);
  hasher.update(std::as_bytes(std::span(bytes)));
  const FileHash hash = hasher.finish();
  return {{"algorithm", to_string(hash.algorithm)}, {"value", hash.value}};
}

Json put_request(const std::string& path, const std::string& bytes, std::size_t offset = 0) {
  return {{"cmd", "put"},     {"path", path},           {"total", bytes.size()},
          {"offset", offset}, {"hash", hash_of(bytes)}, {"size", bytes.size() - offset}};
}

class NativeFiles : public DoorTest {
 protected:
  std::string get(Client& client, const std::string& path) {
    const Frame head = client.call({{"cmd", "get"}, {"path", path}, {"hash", "sha256"}});
    EXPECT_TRUE(head["ok"].as_bool()) << head.header().dump();
    const std::string body = client.frames.read_body_all(1U << 30).str();
    EXPECT_EQ(client.frames.receive()["hash"].value(), hash_of(body));
    return body;
  }
};

TEST_F(NativeFiles, what_was_put_is_got_whatever_its_size) {
  with_door([&] {
    const auto client = signed_in();
    for (const std::size_t size : {0UL, 1UL, 65'536UL, 65'537UL, 524'288UL, 5'000'001UL}) {
      const std::string bytes = content(size);
      const Frame answer = client->call(put_request("dir-less", bytes), bytes);
      ASSERT_TRUE(answer["ok"].as_bool()) << answer.header().dump();
      EXPECT_EQ(answer["hash"].value(), hash_of(bytes));
      EXPECT_EQ(get(*client, "dir-less"), bytes);
    }
  });
}

TEST_F(NativeFiles, a_put_without_a_hash_is_hashed_by_the_hub) {
  with_door([&] {
    const auto client = signed_in();
    const std::string bytes = content(200'000);
    const Frame answer = client->call({{"cmd", "put"}, {"path", "a"}, {"total", bytes.size()}}, bytes);
    EXPECT_EQ(answer["hash"].value(), hash_of(bytes, HashAlgorithm::xxh3_128));
  });
}

TEST_F(NativeFiles, a_wrong_hash_is_refused_and_nothing_appears) {
  with_door([&] {
    const auto client = signed_in();
    for (const std::size_t size : {10UL, 3'000'000UL}) {
      const std::string bytes = content(size);
      Json request = put_request("a", bytes);
      request.set("hash", hash_of("something else"));
      EXPECT_EQ(error_code(client->call(request, bytes)), "hash_mismatch");
      EXPECT_EQ(error_code(client->call({{"cmd", "stat"}, {"path", "a"}})), "not_found");
    }
  });
}

TEST_F(NativeFiles, a_size_that_does_not_fit_total_is_a_bad_request) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_EQ(error_code(client->call({{"cmd", "put"}, {"path", "a"}, {"total", 4}}, "hello")), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", "put"}, {"path", "a"}, {"total", 4}, {"offset", 5}})), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", "put"}, {"path", "a"}}, "hello")), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", "put"}, {"path", "../a"}, {"total", 5}}, "hello")), "forbidden");
    EXPECT_TRUE(client->call({{"cmd", "ping"}})["ok"].as_bool());
  });
}

TEST_F(NativeFiles, a_broken_put_goes_on_where_it_stopped) {
  with_door([&] {
    const std::string bytes = content(3'000'000);
    constexpr std::size_t kSent = 1'234'567;
    {
      const auto client = signed_in();
      client->frames.send_header(put_request("a", bytes));
      client->frames.write_body(BytesView(bytes).first(kSent));
      client->socket.shutdown_write();
      (void)client->frames.receive();  // the hub has noticed
    }
    const auto client = signed_in();
    const Json question = {{"cmd", "offset"}, {"path", "a"}, {"total", bytes.size()}, {"hash", hash_of(bytes)}};
    const Frame answer = client->call(question);
    EXPECT_EQ(answer["offset"].as_uint64(), kSent) << "all that arrived is kept";
    const Frame done = client->call(put_request("a", bytes, kSent), BytesView(bytes).from(kSent));
    EXPECT_TRUE(done["ok"].as_bool()) << done.header().dump();
    EXPECT_EQ(get(*client, "a"), bytes);
  });
}

TEST_F(NativeFiles, a_part_is_got_with_the_hash_of_the_whole) {
  with_door([&] {
    const auto client = signed_in();
    const std::string bytes = content(300'000);
    (void)client->call(put_request("a", bytes), bytes);
    for (const auto& [offset, length] : {std::pair{7UL, 5UL}, {0UL, 0UL}, {100'000UL, 150'000UL}, {299'999UL, 9UL}}) {
      const Frame head = client->call(
          {{"cmd", "get"}, {"path", "a"}, {"offset", offset}, {"length", length}, {"hash", "sha256"}, {"id", "x"}});
      EXPECT_EQ(head["total"].as_uint64(), bytes.size());
      EXPECT_EQ(client->frames.read_body_all(1 << 20), std::string_view(bytes).substr(offset, length));
      const Frame tail = client->frames.receive();
      EXPECT_EQ(tail["hash"].value(), hash_of(bytes));
      EXPECT_EQ(tail["id"].as_string(), "x");
    }
    EXPECT_EQ(error_code(client->call({{"cmd", "get"}, {"path", "a"}, {"offset", 300'001}})), "bad_request");
  });
}

TEST_F(NativeFiles, a_file_that_is_moved_while_it_is_sent_arrives_and_one_that_is_written_to_does_not) {
  with_door([&] {
    const auto client = signed_in();
    const auto other = signed_in();
    const std::string bytes = content(32UL << 20);  // more than lies in the sockets' buffers
    ASSERT_TRUE(client->call(put_request("a", bytes), bytes)["ok"].as_bool());
    for (const char* algorithm : {"sha256", "md5"}) {
      (void)client->call({{"cmd", "get"}, {"path", "a"}, {"hash", algorithm}});
      ASSERT_TRUE(other->call({{"cmd", "move"}, {"from", "a"}, {"to", "b"}})["ok"].as_bool());
      EXPECT_TRUE(client->frames.read_body_all(1U << 30) == std::string_view(bytes));
      EXPECT_EQ(client->frames.receive()["hash"].value(), hash_of(bytes, parse_hash_algorithm(algorithm)));
      ASSERT_TRUE(other->call({{"cmd", "move"}, {"from", "b"}, {"to", "a"}})["ok"].as_bool());
    }
    (void)client->call({{"cmd", "get"}, {"path", "a"}, {"hash", "sha256"}});
    std::fstream(root_ / "homes" / "anna" / "a", std::ios::in | std::ios::out | std::ios::binary) << "changed";
    (void)client->frames.read_body_all(1U << 30);
    EXPECT_EQ(error_code(client->frames.receive()), "conflict");
  });
}

TEST_F(NativeFiles, mode_and_time_are_kept_to_the_nanosecond) {
  with_door([&] {
    const auto client = signed_in();
    (void)client->call({{"cmd", "put"},
                        {"path", "a"},
                        {"total", 1},
                        {"mtime", 1'000'000'000},
                        {"mtime_ns", 123'456'789},
                        {"mode", 0640}},
                       "x");
    const Frame stat = client->call({{"cmd", "stat"}, {"path", "a"}});
    EXPECT_EQ(stat["entry"]["mtime"].as_int64(), 1'000'000'000);
    EXPECT_EQ(stat["entry"]["mtime_ns"].as_int64(), 123'456'789);
    EXPECT_EQ(stat["entry"]["mode"].as_int64(), 0640);
    EXPECT_EQ(stat["entry"]["size"].as_int64(), 1);
    EXPECT_EQ(stat["entry"]["type"].as_string(), "file");
    for (const Json& bad : {Json(1e300), Json(-1e300), Json::number("1e999"), Json("now")}) {
      EXPECT_EQ(error_code(client->call({{"cmd", "put"}, {"path", "a"}, {"total", 1}, {"mtime", bad}}, "x")),
                "bad_request");
    }
  });
}

TEST_F(NativeFiles, large_listings_come_in_several_frames) {
  with_door([&] {
    const auto client = signed_in();
    std::set<std::string> expected;
    for (int i = 0; i < 170; ++i) {
      const std::string name = std::to_string(i) + "-" + std::string(200, 'n');
      client->frames.send({{"cmd", "mkdir"}, {"path", name}});
      expected.insert(name);
    }
    for (int i = 0; i < 170; ++i) ASSERT_TRUE(client->frames.receive()["ok"].as_bool());
    client->frames.send({{"cmd", "list"}, {"path", "."}, {"id", 7}});
    std::set<std::string> seen;
    int frames = 0;
    for (bool more = true; more; ++frames) {
      const Frame answer = client->frames.receive();
      EXPECT_EQ(answer["id"].as_int64(), 7);
      for (const Json& entry : answer["entries"].as_array()) seen.insert(entry["name"].as_string());
      more = answer.header().get_bool("more", false);
    }
    EXPECT_EQ(seen, expected);
    EXPECT_GT(frames, 1);
  });
}

TEST_F(NativeFiles, directories_are_made_moved_measured_and_removed) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_TRUE(client->call({{"cmd", "mkdir"}, {"path", "a/b"}, {"parents", true}})["ok"].as_bool());
    (void)client->call({{"cmd", "put"}, {"path", "a/b/file"}, {"total", 5}}, "hello");
    EXPECT_TRUE(client->call({{"cmd", "move"}, {"from", "a/b"}, {"to", "c"}})["ok"].as_bool());
    const Frame use = client->call({{"cmd", "du"}, {"path", "."}});
    EXPECT_EQ(use["bytes"].as_int64(), 5);
    EXPECT_EQ(use["files"].as_int64(), 1);
    EXPECT_EQ(client->call({{"cmd", "sum"}, {"path", "c/file"}, {"algorithm", "sha256"}})["hash"].value(),
              hash_of("hello"));
    EXPECT_EQ(error_code(client->call({{"cmd", "remove"}, {"path", "c"}})), "conflict");
    EXPECT_TRUE(client->call({{"cmd", "remove"}, {"path", "c"}, {"recursive", true}})["ok"].as_bool());
    EXPECT_EQ(error_code(client->call({{"cmd", "stat"}, {"path", "c"}})), "not_found");
  });
}

}  // namespace
}  // namespace hawser::hub
