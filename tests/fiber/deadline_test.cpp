// Deadline: what happens where scopes meet each other, kills, timeouts and other contexts.
#include <hawser/fiber/deadline.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>

#include "fiber/on_both.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

TEST(deadlines, an_outer_one_passes_through_inner_scopes_and_is_known_outside) {
  on_both([] {
    std::string passed_through;
    Deadline outer(2ms, "outer");
    try {
      Deadline middle(1h, "middle");
      try {
        Deadline inner(2h, "inner");
        try {
          sleep(3h);
        } catch (const DeadlineExceeded& late) {
          EXPECT_FALSE(inner.caused(late));
          passed_through += 'i';
          throw;
        }
      } catch (const DeadlineExceeded& late) {
        EXPECT_FALSE(middle.caused(late));
        passed_through += 'm';
        throw;
      }
      FAIL();
    } catch (const DeadlineExceeded& late) {
      EXPECT_TRUE(outer.caused(late));
      EXPECT_NE(std::string(late.what()).find("outer"), std::string::npos);
    }
    EXPECT_EQ(passed_through, "im");
  });
}

TEST(deadlines, an_inner_one_ends_and_the_outer_goes_on) {
  on_both([] {
    Deadline outer(1h, "outer");
    for (int i = 0; i < 2; ++i) {
      Deadline inner(1ms, "inner");
      try {
        sleep(2h);
        FAIL();
      } catch (const DeadlineExceeded& late) {
        EXPECT_TRUE(inner.caused(late));
        EXPECT_FALSE(outer.caused(late));
      }
    }
    sleep(1ms);
    EXPECT_EQ(Deadline::current(), outer.expiry());
  });
}

TEST(deadlines, a_scope_inside_cannot_give_more_time) {
  on_both([] {
    Deadline outer(1ms, "outer");
    Deadline inner(1h, "inner");
    EXPECT_EQ(Deadline::current(), outer.expiry());
    EXPECT_EQ(inner.nearest(), &outer);
    EXPECT_THROW(sleep(1h), DeadlineExceeded);
  });
}

TEST(deadlines, of_two_at_the_same_moment_the_outer_one_is_named) {
  on_both([] {
    const Expiry moment = Expiry::in(1ms);
    Deadline outer(moment, "outer");
    Deadline inner(moment, "inner");
    try {
      sleep(1h);
      FAIL();
    } catch (const DeadlineExceeded& late) {
      EXPECT_TRUE(outer.caused(late));
    }
  });
}

TEST(deadlines, one_that_has_passed_strikes_at_the_next_wait_and_not_before) {
  on_both([] {
    bool reached = false;
    try {
      Deadline budget(0ms);
      reached = true;
      sleep(1ms);
      FAIL();
    } catch (const DeadlineExceeded&) {
    }
    EXPECT_TRUE(reached);
    sleep(1ms);  // the scope is over
  });
}

TEST(deadlines, strikes_again_at_every_wait_until_the_scope_is_left) {
  on_both([] {
    Deadline budget(0ms);
    for (int i = 0; i < 3; ++i) EXPECT_THROW(sleep(1ms), DeadlineExceeded);
  });
}

TEST(deadlines, a_calls_own_timeout_is_told_apart) {
  run([] {
    auto slow = spawn([] { sleep(1h); });
    {
      Deadline budget(1h);
      EXPECT_FALSE(slow.join(1ms));
    }
    {
      Deadline budget(1ms);
      EXPECT_THROW(slow.join(1h), DeadlineExceeded);
    }
    slow.kill_and_join();
  });
}

TEST(deadlines, belong_to_the_fiber_that_made_them) {
  run([] {
    Task<void> other;
    {
      Deadline budget(1ms);
      other = spawn([] {
        EXPECT_TRUE(Deadline::current().is_never());
        sleep(3ms);
      });
      EXPECT_THROW(sleep(1h), DeadlineExceeded);
    }
    other.get();
  });
}

TEST(deadlines, of_a_task_are_not_taken_for_those_of_who_gets_it) {
  run([] {
    auto task = spawn([] {
      Deadline budget(1ms, "inside the task");
      sleep(1h);
    });
    Deadline mine(1h, "mine");
    try {
      task.get();
      FAIL();
    } catch (const DeadlineExceeded& late) {
      EXPECT_FALSE(mine.caused(late));
      EXPECT_NE(std::string(late.what()).find("inside the task"), std::string::npos);
    }
  });
}

TEST(deadlines, a_wait_in_a_destructor_while_one_unwinds_is_not_struck) {
  on_both([] {
    bool waited = false;
    try {
      Deadline budget(1ms);
      struct Guard {
        bool& flag;
        ~Guard() {
          sleep(1ms);
          flag = true;
        }
      } guard{waited};
      sleep(1h);
    } catch (const DeadlineExceeded&) {
    }
    EXPECT_TRUE(waited);
  });
}

TEST(deadlines, a_kill_goes_before_a_deadline_that_has_passed_as_well) {
  run([] {
    auto task = spawn([] {
      Deadline budget(0ms);
      try {
        check_cancelled();
      } catch (const DeadlineExceeded&) {
      }
      while (!cancel_requested()) {
        const Shield shield;
        try {
          sleep(1ms);
        } catch (const DeadlineExceeded&) {
          yield();
        }
      }
      sleep(1h);
    });
    yield();
    task.kill_and_join();
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(deadlines, a_shield_does_not_hold_them_back) {
  run([] {
    Deadline budget(1ms);
    const Shield shield;
    EXPECT_THROW(sleep(1h), DeadlineExceeded);
  });
}

TEST(deadlines, around_a_group_cancel_its_tasks_and_are_rethrown) {
  run([] {
    int ended = 0;
    try {
      Deadline budget(2ms, "the group's");
      TaskGroup group;
      for (int i = 0; i < 3; ++i) {
        group.spawn([&] {
          try {
            sleep(1h);
          } catch (const Cancelled&) {
            ++ended;
            throw;
          }
        });
      }
      yield();  // they begin, however late it is
      group.join();
      FAIL();
    } catch (const DeadlineExceeded& late) {
      EXPECT_NE(std::string(late.what()).find("the group's"), std::string::npos);
    }
    EXPECT_EQ(ended, 3);
  });
}
