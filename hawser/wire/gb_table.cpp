#include <hawser/wire/gb_table.h>

#include <fmt/format.h>
#include <iconv.h>

#include <mutex>
#include <string>
#include <utility>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/wire/text_error.h>

namespace hawser::detail {

namespace {

// iconv(3) has locks of its own, which a forked child would find held.
constinit std::mutex g_converting;
[[maybe_unused]] const bool g_held_over_fork = (hold_over_fork(g_converting, ForkOrder::inner, nullptr, nullptr), true);

// One direction of iconv(3), for one character at a time.
class Converter {
 public:
  explicit Converter(const char* from) : handle_(iconv_open("UTF-16LE", from)) {
    // The error is a value that only a cast can make.
    if (handle_ == reinterpret_cast<iconv_t>(-1)) {  // NOLINT(performance-no-int-to-ptr)
      throw UnknownCodec(fmt::format("this machine's iconv does not know {}", from));
    }
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() { iconv_close(handle_); }

  // 0 when the two bytes are not one character of the basic plane.
  char16_t character(unsigned lead, unsigned trail) {
    std::array<char, 2> in{static_cast<char>(lead), static_cast<char>(trail)};
    std::array<unsigned char, 8> out{};
    char* from = in.data();
    auto* to = reinterpret_cast<char*>(out.data());
    std::size_t left = in.size();
    std::size_t room = out.size();
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    const std::size_t result = iconv(handle_, &from, &left, &to, &room);
    if (result != 0 || left != 0 || room != out.size() - 2) return 0;
    return static_cast<char16_t>(out[0] | out[1] << 8);
  }

 private:
  iconv_t handle_;
};

// Where CPython has GB18030 as it was published in 2000 and glibc has a later one: 24 characters that lay in the
// private use area have since got numbers of their own, and A8BC has changed places with 81 35 F4 37.
constexpr std::array<std::pair<std::uint16_t, char16_t>, 25> kAsIn2000{{
    {0xA6D9, 0xE78D}, {0xA6DA, 0xE78E}, {0xA6DB, 0xE78F}, {0xA6DC, 0xE790}, {0xA6DD, 0xE791},
    {0xA6DE, 0xE792}, {0xA6DF, 0xE793}, {0xA6EC, 0xE794}, {0xA6ED, 0xE795}, {0xA6F3, 0xE796},
    {0xA8BC, 0xE7C7}, {0xFE51, 0xE816}, {0xFE52, 0xE817}, {0xFE53, 0xE818}, {0xFE59, 0xE81E},
    {0xFE61, 0xE826}, {0xFE66, 0xE82B}, {0xFE67, 0xE82C}, {0xFE6C, 0xE831}, {0xFE6D, 0xE832},
    {0xFE76, 0xE83B}, {0xFE7E, 0xE843}, {0xFE90, 0xE854}, {0xFE91, 0xE855}, {0xFEA0, 0xE864},
}};

}  // namespace

GbTable::GbTable(const char* name) : characters_((0xFF - kLead) * kTrails + kTrails), bytes_(0x10000) {
  const std::lock_guard hold(g_converting);
  Converter converter(name);
  for (unsigned lead = kLead; lead < 0xFF; ++lead) {
    for (unsigned trail = kTrail; trail < 0xFF; ++trail) {
      if (trail == 0x7F) continue;
      if (const char16_t character = converter.character(lead, trail)) set(lead << 8U | trail, character);
    }
  }
}

void GbTable::set(unsigned code, char16_t character) {
  char16_t& place = characters_[index(code >> 8U, code & 0xFFU)];
  if (place != 0 && bytes_[place] == code) bytes_[place] = 0;
  place = character;
  bytes_[character] = static_cast<std::uint16_t>(code);
}

void GbTable::count_the_rest() {
  four_.reserve(kFourBytes);
  four_numbers_.resize(0x10000);
  for (unsigned character = 0x80; character < 0x10000; ++character) {
    const bool surrogate = character >= 0xD800 && character < 0xE000;
    if (surrogate || bytes_[character] != 0) continue;
    four_numbers_[character] = static_cast<std::uint16_t>(four_.size());
    four_.push_back(static_cast<char16_t>(character));
  }
  if (four_.size() != kFourBytes) throw UnknownCodec("this machine's iconv has another GB18030 than all others");
}

namespace {
constinit MadeOnce<const GbTable> g_gbk;
constinit MadeOnce<const GbTable> g_gb18030;
constinit MadeOnce<const GbTable> g_gb2312;
}  // namespace

const GbTable& GbTable::gbk() {
  return g_gbk.get([] { return GbTable("GBK"); });
}

const GbTable& GbTable::gb18030() {
  return g_gb18030.get([] {
    GbTable made("GB18030");
    for (const auto& [code, character] : kAsIn2000) made.set(code, character);
    made.count_the_rest();
    return made;
  });
}

const GbTable& GbTable::gb2312() {
  return g_gb2312.get([] { return GbTable("EUC-CN"); });
}

}  // namespace hawser::detail
