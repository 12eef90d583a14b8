#include <hawser/fiber/spin.h>

#include <thread>

namespace hawser::detail {

const bool g_one_processor = std::thread::hardware_concurrency() < 2;

}  // namespace hawser::detail
