// Fetches pages, each in a fiber, over plain HTTP/1.0, and notes their sizes in a file. A page that fails is reported
// and stops nobody.
//
//   fiber_crawler FILE URL…
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

struct Answer {
  std::string status;
  std::map<std::string, std::string> headers;  // names in small letters
  Bytes body;
};

Answer get(const std::string& host, const std::string& path) {
  constexpr std::size_t kMostBytes = 10 << 20;
  Socket sock = connect(Endpoint::parse(host.contains(':') ? host : host + ":80"));
  sock.send_all(fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\n\r\n", path, host));
  BufferedReader in(sock, 8192);
  Answer answer{.status = in.read_line().value_or("no answer\r\n"), .headers = {}, .body = {}};
  while (auto line = in.read_line()) {
    const auto colon = line->find(": ");
    if (*line == "\r\n" || colon == std::string::npos || answer.headers.size() == 100) break;
    std::string name = line->substr(0, colon);
    for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    answer.headers[name] = line->substr(colon + 2, line->size() - colon - 4);
  }
  answer.body = in.read_all(kMostBytes);
  return answer;
}

// Follows redirects. All of it, from the first look-up to the last byte, has three seconds.
Bytes fetch(std::string url) {
  const Deadline budget(3s, "three seconds for a page");
  for (int redirects = 0; redirects < 5; ++redirects) {
    const std::string rest = url.substr(std::string("http://").size());
    const auto slash = std::min(rest.find('/'), rest.size());
    const std::string host = rest.substr(0, slash);
    Answer answer = get(host, slash < rest.size() ? rest.substr(slash) : "/");
    if (answer.status.contains(" 200 ")) {
      const auto length = answer.headers.find("content-length");
      if (length != answer.headers.end() && std::stoull(length->second) != answer.body.size())
        throw std::runtime_error("the page is not complete");
      return answer.body;
    }
    if (!answer.headers.contains("location"))
      throw std::runtime_error(answer.status.substr(0, answer.status.find_last_not_of("\r\n") + 1));
    url = answer.headers["location"];
    if (url.starts_with('/')) url = "http://" + host + url;
  }
  throw std::runtime_error("redirected too often");
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: fiber_crawler FILE URL...\n");
    return 2;
  }
  return run([=] {
    std::ofstream file(argv[1], std::ios::app);
    Lock lock;  // held while a thread of the offload() pool writes: a fiber may wait with it
    TaskGroup pages;
    for (int i = 2; i < argc; ++i)
      pages.spawn([&, url = std::string(argv[i])] {
        try {
          const std::size_t size = fetch(url).size();
          const std::lock_guard hold(lock);
          offload([&] { file << fmt::format("url:<{}> size:[{}]\n", url, size) << std::flush; });
        } catch (const std::exception& error) {
          fmt::print("failed:<{}> {}\n", url, error.what());
        }
      });
    pages.join();
    return 0;
  });
}
