// Producers and consumers, each in a process of its own, and one queue between them.
#include <fmt/format.h>

#include <functional>
#include <list>
#include <string>

#include <hawser/process/process.h>
#include <hawser/process/process_queue.h>

using namespace hawser;

using Shelf = ProcessQueue<std::string>;

void bake(Shelf& shelf, int buns) {
  for (int n = 1; n <= buns; ++n) shelf.put(fmt::format("bun {} of {}", n, current_process().name));
}

void eat(Shelf& shelf) {
  try {
    for (;;) {
      fmt::print("{} eats {}\n", current_process().name, shelf.get());
      shelf.task_done();
    }
  } catch (const ShutDown&) {
    fmt::print("{} goes home\n", current_process().name);
  }
}

int main() {
  Shelf shelf(3);  // no more than three lie there, so that no baker is far ahead
  std::list<Process> bakers, eaters;
  for (const char* name : {"Ann", "Bob"}) bakers.emplace_back(bake, std::ref(shelf), 4, ProcessOptions{.name = name});
  for (const char* name : {"Lin", "Wu"}) eaters.emplace_back(eat, std::ref(shelf), ProcessOptions{.name = name});
  for (auto& baker : bakers) baker.start();
  for (auto& eater : eaters) eater.start();
  for (auto& baker : bakers) baker.join();
  shelf.join();      // until every bun is eaten
  shelf.shutdown();  // the eaters' get() throws
  for (auto& eater : eaters) eater.join();
}
