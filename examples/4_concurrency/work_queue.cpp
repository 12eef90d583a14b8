// One queue between a plain thread that makes jobs and fibers that do them.
#include <chrono>
#include <cstdio>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/queue.h>

using namespace hawser;
using namespace std::chrono_literals;

int main() {
  return run([] {
    Queue<int> jobs(3);  // no more than three wait in line, so the maker is never far ahead
    int sum = 0;

    std::thread maker([&] {
      for (int number = 1; number <= 10; ++number) jobs.put(number, 2s);
      jobs.join();      // until all are done
      jobs.shutdown();  // the workers' get() throws once nothing is left
    });

    TaskGroup workers;
    for (int worker = 1; worker <= 2; ++worker) {
      workers.spawn([&, worker] {
        try {
          for (;;) {
            const int number = jobs.get();
            sleep(10ms);
            std::printf("worker %d did job %d\n", worker, number);
            sum += number;
            jobs.task_done();
          }
        } catch (const ShutDown&) {
          std::printf("worker %d goes home\n", worker);
        }
      });
    }
    workers.join();
    maker.join();
    return sum == 55 ? 0 : 1;
  });
}
