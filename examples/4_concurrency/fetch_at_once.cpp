// Fetches all the pages that are named, at once and on one thread, by libcurl's easy interface.
//
//   fetch_at_once URL…
#include <curl/curl.h>
#include <hawser/hawser.h>

#include <cstdio>
#include <memory>

using namespace hawser;

std::string fetch(const char* url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), &curl_easy_cleanup);
  std::string page;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, 2000L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &page);
  curl_easy_setopt(
      curl.get(), CURLOPT_WRITEFUNCTION, +[](char* data, size_t one, size_t count, void* to) {
        static_cast<std::string*>(to)->append(data, one * count);
        return one * count;
      });
  if (const CURLcode code = curl_easy_perform(curl.get())) {
    check_cancelled();
    throw std::runtime_error(curl_easy_strerror(code));
  }
  return page;
}

int main(int argc, char** argv) {
  curl_global_init(CURL_GLOBAL_ALL);
  return run([&] {
    TaskGroup group;
    for (int i = 1; i < argc; ++i) {
      group.spawn([url = argv[i]] {
        try {
          std::printf("%s: %zu bytes\n", url, fetch(url).size());
        } catch (const std::runtime_error& error) {
          std::printf("%s: %s\n", url, error.what());
        }
      });
    }
    group.join();
  });
}
