// Pages fetched by the processes of a pool with libcurl; a callback in this process notes their sizes in a file. A page
// that fails is reported and stops nobody.
//
//   crawler FILE URL…
#include <curl/curl.h>
#include <fmt/format.h>

#include <cstddef>
#include <fstream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

std::size_t count_bytes(char*, std::size_t, std::size_t count, void* sum) {
  *static_cast<std::size_t*>(sum) += count;
  return count;
}

// Runs in another process: what it takes and what it gives is copied to and fro.
std::size_t fetch(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  std::size_t size = 0;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, 3000L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, count_bytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &size);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
  return size;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: crawler FILE URL...\n");
    return 2;
  }
  std::ofstream file(argv[1], std::ios::app);
  Lock lock;  // callbacks run wherever the answers arrive
  ProcessPool processes(3);
  for (int i = 2; i < argc; ++i) {
    const std::string url = argv[i];
    processes.submit(fetch, url).on_done([&, url](const Future<std::size_t>& page) {
      const std::lock_guard hold(lock);
      try {
        file << fmt::format("url:<{}> size:[{}]\n", url, page.result()) << std::flush;
      } catch (const std::exception& error) {
        fmt::print("failed:<{}> {}\n", url, error.what());
      }
    });
  }
  processes.shutdown();  // waits for all of them
}
