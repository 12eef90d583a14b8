// The order in which things come out: the latest first, or the most urgent first.
#include <cstdio>
#include <string>

#include <hawser/sync/lifo_queue.h>
#include <hawser/sync/priority_queue.h>

using namespace hawser;

struct Patient {
  int urgency;
  std::string name;
};

struct MoreUrgent {
  bool operator()(const Patient& a, const Patient& b) const { return a.urgency > b.urgency; }
};

int main() {
  LifoQueue<std::string> plates;
  for (const char* plate : {"the first", "the second", "the third"}) plates.put(plate);
  while (auto plate = plates.try_get()) std::printf("plate: %s\n", plate->c_str());

  PriorityQueue<Patient, MoreUrgent> waiting_room(4);  // no more than four seats
  waiting_room.put({1, "a cold"});
  waiting_room.put({3, "a broken leg"});
  waiting_room.put({1, "another cold"});  // as urgent as the first one, and after it
  waiting_room.put({5, "a heart attack"});
  try {
    waiting_room.put_nowait({2, "a cough"});
  } catch (const Full&) {
    std::printf("the waiting room is full\n");
  }
  while (auto patient = waiting_room.try_get()) {
    std::printf("next: %s\n", patient->name.c_str());
    waiting_room.task_done();
  }
  waiting_room.join();
  try {
    waiting_room.get_nowait();
  } catch (const Empty&) {
    std::printf("the waiting room is empty\n");
  }
}
