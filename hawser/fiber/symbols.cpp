#include <hawser/fiber/symbols.h>

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <hawser/base/fd.h>
#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/base/system_calls.h>

namespace hawser::detail {
namespace {

constexpr std::size_t kLongestName = 160;

// A file of ELF(5), mapped, with its functions in order of their addresses.
class ElfFile {
 public:
  explicit ElfFile(const char* path) {
    const UniqueFd fd(sys::open(path, O_RDONLY | O_CLOEXEC));
    struct stat about {};
    if (!fd || ::fstat(fd.get(), &about) < 0 || about.st_size < static_cast<off_t>(sizeof(ElfW(Ehdr)))) return;
    size_ = static_cast<std::size_t>(about.st_size);
    void* mapped = sys::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (mapped == MAP_FAILED) return;
    base_ = static_cast<const std::byte*>(mapped);
    read_sections();
  }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;
  ~ElfFile() {
    if (base_) ::munmap(const_cast<std::byte*>(base_), size_);  // NOLINT: munmap(2) takes what mmap(2) gave
  }

  // The mangled name of the function that the address (as linked, not as loaded) lies in; empty when there is none.
  [[nodiscard]] std::string_view function_at(std::uintptr_t address) const {
    auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                  [](std::uintptr_t wanted, const Function& f) { return wanted < f.begin; });
    if (after == functions_.begin()) return {};
    const Function& found = *--after;
    return address < found.end ? found.name : std::string_view();
  }

 private:
  struct Function {
    std::uintptr_t begin;
    std::uintptr_t end;
    std::string_view name;
  };

  template <class T>
  [[nodiscard]] const T* at(std::uint64_t offset, std::uint64_t count = 1) const {
    if (offset > size_ || count > (size_ - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(base_ + offset);
  }

  void read_sections() {
    const auto* header = at<ElfW(Ehdr)>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
    const auto* sections = at<ElfW(Shdr)>(header->e_shoff, header->e_shnum);
    if (!sections) return;
    for (const ElfW(Word) kind : {SHT_SYMTAB, SHT_DYNSYM}) {
      for (unsigned i = 0; i < header->e_shnum && functions_.empty(); ++i) {
        if (sections[i].sh_type == kind && sections[i].sh_link < header->e_shnum) {
          read_symbols(sections[i], sections[sections[i].sh_link]);
        }
      }
    }
    std::sort(functions_.begin(), functions_.end(),
              [](const Function& a, const Function& b) { return a.begin < b.begin; });
  }

  void read_symbols(const ElfW(Shdr) & table, const ElfW(Shdr) & names) {
    const std::uint64_t count = table.sh_size / sizeof(ElfW(Sym));
    const auto* symbols = at<ElfW(Sym)>(table.sh_offset, count);
    const auto* text = at<char>(names.sh_offset, names.sh_size);
    if (!symbols || !text || names.sh_size == 0 || text[names.sh_size - 1] != '\0') return;
    for (std::uint64_t i = 0; i < count; ++i) {
      const ElfW(Sym)& symbol = symbols[i];
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
      if (symbol.st_name >= names.sh_size) continue;
      functions_.push_back({symbol.st_value, symbol.st_value + std::max<ElfW(Xword)>(symbol.st_size, 1),
                            std::string_view(text + symbol.st_name)});
    }
  }

  const std::byte* base_ = nullptr;
  std::size_t size_ = 0;
  std::vector<Function> functions_;
};

struct Place {
  std::uintptr_t address;
  std::string file;
  std::uintptr_t offset = 0;  // within the file, as linked
  bool found = false;
};

int look(dl_phdr_info* object, std::size_t, void* wanted) {
  auto& place = *static_cast<Place*>(wanted);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || place.address < begin || place.address >= begin + segment.p_memsz) continue;
    place.file = object->dlpi_name && *object->dlpi_name ? object->dlpi_name : "/proc/self/exe";
    place.offset = place.address - object->dlpi_addr;
    place.found = true;
    return 1;
  }
  return 0;
}

std::string readable(std::string_view mangled) {
  const std::string text(mangled);
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> clear(abi::__cxa_demangle(text.c_str(), nullptr, nullptr, &status),
                                                     &std::free);
  std::string name = status == 0 && clear ? std::string(clear.get()) : text;
  if (name.size() > kLongestName) name = name.substr(0, kLongestName) + "...";
  return name;
}

std::string in_hex(std::uintptr_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%lx", static_cast<unsigned long>(number));
  return text;
}

class Objects {
 public:
  Objects() { hold_over_fork(mutex_, ForkOrder::inner, nullptr, nullptr); }

  std::string name(std::uintptr_t address) {
    const std::lock_guard hold(mutex_);
    if (const auto known = names_.find(address); known != names_.end()) return known->second;
    std::string found = find(address);
    if (names_.size() < kMostNames) names_.emplace(address, found);
    return found;
  }

 private:
  static constexpr std::size_t kMostNames = 10'000;

  std::string find(std::uintptr_t address) {
    Place place{.address = address, .file = {}};
    ::dl_iterate_phdr(&look, &place);
    if (!place.found) return in_hex(address);
    auto& file = files_[place.file];
    if (!file) file = std::make_unique<ElfFile>(place.file.c_str());
    const std::string_view function = file->function_at(place.offset);
    if (!function.empty()) return readable(function);
    return in_hex(place.offset) + " in " + place.file;
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ElfFile>> files_;
  std::map<std::uintptr_t, std::string> names_;
};

constinit MadeOnce<Objects> g_objects;
[[maybe_unused]] const bool g_made_early = (g_objects.get(), true);

}  // namespace

std::string symbol_at(std::uintptr_t address) noexcept {
  try {
    return g_objects.get().name(address);
  } catch (...) {
    return "?";
  }
}

}  // namespace hawser::detail
