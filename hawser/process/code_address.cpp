#include <hawser/process/code_address.h>

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <stdexcept>

#include <hawser/base/made_once.h>

namespace hawser::detail {
namespace {

struct Program {
  std::uintptr_t base = 0;
  std::uintptr_t begin = ~std::uintptr_t{0};
  std::uintptr_t end = 0;
};

// The program comes first in the list.
Program find_program() noexcept {
  Program found;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t /*size*/, void* into) {
        auto& result = *static_cast<Program*>(into);
        result.base = info->dlpi_addr;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD) continue;
          result.begin = std::min<std::uintptr_t>(result.begin, info->dlpi_addr + header.p_vaddr);
          result.end = std::max<std::uintptr_t>(result.end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
        }
        return 1;
      },
      &found);
  return found;
}

constinit MadeOnce<const Program> g_program;

struct Wanted {
  const std::string& image;
  std::uintptr_t base = 0;
};

int is_wanted(dl_phdr_info* info, std::size_t /*size*/, void* into) {
  auto& wanted = *static_cast<Wanted*>(into);
  if (wanted.image != info->dlpi_name) return 0;
  wanted.base = info->dlpi_addr;
  return 1;
}

}  // namespace

std::uint64_t offset_in_program(const void* address) noexcept {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  const Program& all = g_program.get(&find_program);
  return number >= all.begin && number < all.end ? number - all.base : 0;
}

void* at_offset_in_program(std::uint64_t offset) noexcept {
  return reinterpret_cast<void*>(g_program.get(&find_program).base +
                                 offset);  // NOLINT(performance-no-int-to-ptr): that is the idea
}

CodeAddress CodeAddress::of(const void* address) {
  if (const std::uint64_t offset = offset_in_program(address)) return {.image = {}, .offset = offset};
  Dl_info info{};
  if (::dladdr(address, &info) == 0 || !info.dli_fname) {
    throw std::invalid_argument("a function that lies in no file of this process");
  }
  return {.image = info.dli_fname,
          .offset = reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(info.dli_fbase)};
}

void* CodeAddress::here() const {
  if (image.empty()) return at_offset_in_program(offset);
  Wanted wanted{.image = image};
  if (::dl_iterate_phdr(&is_wanted, &wanted) == 0) {
    if (!::dlopen(image.c_str(), RTLD_NOW | RTLD_GLOBAL) || ::dl_iterate_phdr(&is_wanted, &wanted) == 0) {
      throw std::runtime_error("cannot load " + image);
    }
  }
  return reinterpret_cast<void*>(wanted.base + offset);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace hawser::detail
