#include <hawser/process/serialise.h>

#include <filesystem>
#include <future>
#include <limits>
#include <mutex>
#include <random>
#include <span>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

enum class Colour : std::uint8_t { red = 1, blue = 200 };

struct Page {
  std::string url;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<Bytes> body;
  std::optional<double> seconds;
  bool operator==(const Page&) const = default;
};

struct Empty {
  bool operator==(const Empty&) const = default;
};

struct Nested {
  Page page;
  Empty nothing;
  std::array<int, 3> numbers{};
  std::map<std::string, std::vector<Page>> more;
  std::unique_ptr<Page> held;
};

class Account {
 public:
  Account() = default;
  Account(std::string name, int balance) : name_(std::move(name)), balance_(balance) {}
  bool operator==(const Account&) const = default;

  template <class Archive>
  void serialise(Archive& archive) {
    archive(name_, balance_);
  }

 private:
  std::string name_;
  int balance_ = 0;
};

struct Tree {
  int value = 0;
  std::vector<Tree> branches;
  bool operator==(const Tree&) const = default;
};
template <class Archive>
void serialise(Archive& archive, Tree& tree) {
  archive(tree.value, tree.branches);
}

struct NoDefault {
  explicit NoDefault(int) {}
};
struct WithPointer {
  int* p = nullptr;
};

template <class T>
void expect_same(const T& value) {
  EXPECT_EQ(from_bytes<T>(to_bytes(value)), value);
}

using Everything =
    std::tuple<std::vector<std::string>, std::map<int, std::set<std::string>>, std::variant<int, std::string, Page>,
               std::optional<Tree>, std::vector<bool>, std::unordered_map<std::string, std::deque<Account>>, Bytes,
               std::vector<double>, std::unique_ptr<std::string>, std::error_code, std::list<Empty>>;

}  // namespace

static_assert(Serialisable<int> && Serialisable<Page> && Serialisable<Nested> && Serialisable<Account>);
static_assert(Serialisable<Tree> && Serialisable<Everything> && Serialisable<std::vector<bool>>);
static_assert(!Serialisable<int*> && !Serialisable<const char*> && !Serialisable<std::string_view>);
static_assert(!Serialisable<std::span<int>> && !Serialisable<int&> && !Serialisable<std::mutex>);
static_assert(!Serialisable<std::thread> && !Serialisable<NoDefault> && !Serialisable<WithPointer>);
static_assert(!Serialisable<std::vector<std::string_view>> && !Serialisable<std::map<int, void*>>);
static_assert(!Serialisable<std::unique_ptr<int[]>> && !Serialisable<void (*)()>);

TEST(serialise, numbers_and_enums_come_back) {
  expect_same(0);
  expect_same(std::numeric_limits<std::int64_t>::min());
  expect_same(std::numeric_limits<std::uint64_t>::max());
  expect_same('c');
  expect_same(true);
  expect_same(2.5F);
  expect_same(std::numeric_limits<double>::infinity());
  expect_same(Colour::blue);
  expect_same(std::byte{7});
}

TEST(serialise, text_and_bytes_come_back) {
  expect_same(std::string());
  expect_same(std::string("a\0b", 3));
  expect_same(Bytes("bytes"));
  expect_same(std::filesystem::path("/tmp/x y"));
}

TEST(serialise, containers_come_back) {
  expect_same(std::vector<int>{1, 2, 3});
  expect_same(std::vector<bool>{true, false, true});
  expect_same(std::vector<std::string>{"", "x"});
  expect_same(std::array<short, 2>{1, 2});
  expect_same(std::deque<std::string>{"a", "b"});
  expect_same(std::list<int>{4, 5});
  expect_same(std::set<std::string>{"x", "y"});
  expect_same(std::multiset<int>{1, 1, 2});
  expect_same(std::unordered_set<int>{1, 2});
  expect_same(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  expect_same(std::multimap<int, int>{{1, 1}, {1, 2}});
  expect_same(std::unordered_map<std::string, int>{{"a", 1}});
}

TEST(serialise, sums_and_products_come_back) {
  expect_same(std::optional<int>());
  expect_same(std::optional<std::string>("x"));
  expect_same(std::variant<int, std::string>("x"));
  expect_same(std::variant<std::monostate, int>());
  expect_same(std::pair<int, std::string>(1, "one"));
  expect_same(std::tuple<>());
  expect_same(std::tuple<int, std::string, double>(1, "x", 0.5));
  EXPECT_EQ(*from_bytes<std::unique_ptr<int>>(to_bytes(std::make_unique<int>(7))), 7);
  EXPECT_EQ(from_bytes<std::unique_ptr<int>>(to_bytes(std::unique_ptr<int>())), nullptr);
}

TEST(serialise, times_come_back) {
  expect_same(15ms);
  expect_same(std::chrono::duration<double>(0.25));
  expect_same(std::chrono::system_clock::now());
  expect_same(std::chrono::steady_clock::now());
}

TEST(serialise, errors_of_the_system_come_back) {
  expect_same(std::error_code(EPIPE, std::system_category()));
  expect_same(std::make_error_code(std::errc::timed_out));
  EXPECT_THROW(static_cast<void>(to_bytes(std::make_error_code(std::future_errc::no_state))), SerialiseError);
}

TEST(serialise, structs_need_nothing) {
  const Page page{"http://a", 200, {{"Host", "a"}}, Bytes("body"), 0.5};
  expect_same(page);
  expect_same(Empty());
  Nested nested;
  nested.page = page;
  nested.numbers = {1, 2, 3};
  nested.more = {{"x", {page, page}}};
  nested.held = std::make_unique<Page>(page);
  const auto back = from_bytes<Nested>(to_bytes(nested));
  EXPECT_EQ(back.page, page);
  EXPECT_EQ(back.numbers, nested.numbers);
  EXPECT_EQ(back.more, nested.more);
  EXPECT_EQ(*back.held, page);
}

TEST(serialise, a_function_of_ones_own_is_used) {
  expect_same(Account("ann", 3));
  expect_same(std::vector<Account>{{"ann", 3}, {"bob", -1}});
  expect_same(Tree{1, {{2, {}}, {3, {{4, {}}}}}});
}

TEST(serialise, every_cut_is_an_error) {
  const Bytes whole = to_bytes(Page{"http://a", 200, {{"Host", "a"}}, Bytes("body"), 0.5});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(static_cast<void>(from_bytes<Page>(whole.span().first(size))), SerialiseError) << size;
  }
}

TEST(serialise, bytes_left_over_are_an_error) {
  Bytes more = to_bytes(1);
  more.append(to_bytes('x'));
  EXPECT_THROW(static_cast<void>(from_bytes<int>(more)), SerialiseError);
}

TEST(serialise, a_length_beyond_the_bytes_allocates_nothing) {
  const Bytes huge = to_bytes(std::numeric_limits<std::uint64_t>::max());
  EXPECT_THROW(static_cast<void>(from_bytes<std::string>(huge)), SerialiseError);
  EXPECT_THROW(static_cast<void>(from_bytes<std::vector<Empty>>(huge)), SerialiseError);
  EXPECT_THROW(static_cast<void>(from_bytes<std::vector<double>>(huge)), SerialiseError);
  EXPECT_THROW(static_cast<void>((from_bytes<std::map<int, int>>(huge))), SerialiseError);
}

TEST(serialise, memory_has_a_limit) {
  using Wide = std::vector<std::optional<std::array<int, 1000>>>;
  const Bytes empties = to_bytes(Wide(1000));
  EXPECT_EQ(from_bytes<Wide>(empties).size(), 1000U);
  EXPECT_THROW(static_cast<void>(from_bytes<Wide>(empties, 100'000)), SerialiseError);
}

TEST(serialise, depth_has_a_limit) {
  Tree tree;
  for (int i = 0; i < 20; ++i) tree = Tree{i, {tree}};
  expect_same(tree);
  for (int i = 0; i < 200; ++i) tree = Tree{i, {tree}};
  const Bytes deep = to_bytes(tree);
  EXPECT_THROW(static_cast<void>(from_bytes<Tree>(deep)), SerialiseError);
}

TEST(serialise, a_bool_is_true_or_false) {
  EXPECT_THROW(static_cast<void>(from_bytes<bool>(Bytes("\2"))), SerialiseError);
  EXPECT_THROW(static_cast<void>(from_bytes<std::optional<int>>(Bytes("\2____"))), SerialiseError);
}

// Bytes of strangers: made up, and made from right ones by change. A value or SerialiseError, and under a sanitizer
// nothing that it would see.
TEST(serialise, any_bytes_are_a_value_or_an_error) {
  std::mt19937 random(7);
  Everything right;
  std::get<0>(right) = {"one", "two"};
  std::get<1>(right) = {{1, {"a", "b"}}, {2, {}}};
  std::get<2>(right) = Page{"u", 1, {}, std::nullopt, 1.5};
  std::get<3>(right) = Tree{1, {{2, {}}}};
  std::get<4>(right) = {true, false};
  std::get<5>(right) = {{"x", {Account("a", 1)}}};
  std::get<8>(right) = std::make_unique<std::string>("held");
  std::get<10>(right) = {Empty(), Empty()};
  const Bytes whole = to_bytes(right);
  int values = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(whole.view());
    if (round % 4 == 0) {
      bytes.resize(random() % 200);
      for (char& c : bytes) c = static_cast<char>(random() % 4 == 0 ? random() : 0);
    } else {
      for (auto changes = 1 + random() % 4; changes > 0; --changes) {
        bytes[random() % bytes.size()] = static_cast<char>(random() % 2 ? random() : random() % 4);
      }
    }
    try {
      static_cast<void>(to_bytes(from_bytes<Everything>(bytes, std::size_t{1} << 20)));
      ++values;
    } catch (const SerialiseError&) {
      // As it should be.
    }
  }
  EXPECT_GT(values, 0);
}
