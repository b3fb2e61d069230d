// Tests of teams: loops do the same with threads close by as without.
#include <atomic>
#include <chrono>
#include <criterion/criterion.h>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/cpu.h"
#include "base/parallel.h"

using namespace intmill;

namespace {

std::set<std::thread::id> ThreadsReached() {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  OnEachThread([&] {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  return threads;
}

// Many short loops, one behind the other; false where an index was not visited once by each.
bool LoopsVisitAll(int64_t n, int loops) {
  std::vector<int> visits(static_cast<size_t>(n), 0);
  for (int loop = 0; loop < loops; ++loop)
    ParallelFor(n, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
    });
  return visits == std::vector<int>(static_cast<size_t>(n), loops);
}

}  // namespace

Test(team, loops_visit_every_index_once) {
  const ThreadScope scope(3);
  WithTeam([] {
    cr_expect_eq(CurrentThreads(), 3);
    for (const int64_t n : {1, 2, 3, 100}) cr_expect(LoopsVisitAll(n, 2000), "%ld indices", n);
  });
  cr_expect_eq(CurrentThreads(), 3);
}

Test(team, every_step_of_every_share_is_taken_once) {
  const ThreadScope scope(3);
  const std::vector<int64_t> steps = {5, 0, 200};
  std::vector<std::atomic<int>> times(205);
  WithTeam([&] {
    for (int loop = 0; loop < 500; ++loop)
      ParallelShares(steps, [&](int64_t worker, int64_t share, int64_t first, int64_t end) {
        cr_assert_lt(worker, 3);
        for (int64_t step = first; step < end; ++step)
          ++times[static_cast<size_t>(share == 0 ? step : 5 + step)];
      });
  });
  for (const std::atomic<int>& t : times) cr_expect_eq(t, 500);
}

Test(team, its_threads_are_those_that_loops_had_before) {
  const ThreadScope scope(3);
  const std::set<std::thread::id> before = ThreadsReached();
  cr_expect_eq(before.size(), 3);
  WithTeam([&] { cr_expect(ThreadsReached() == before); });
}

Test(team, threads_that_fell_asleep_come_when_they_are_called) {
  const ThreadScope scope(3);
  WithTeam([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cr_expect_eq(ThreadsReached().size(), 3);
  });
}

Test(team, more_threads_than_cpus_do_all_the_work) {
  const ThreadScope scope(4 * AvailableCpus());
  WithTeam([] { cr_expect(LoopsVisitAll(1000, 50)); });
}

Test(team, one_thread_and_a_team_in_a_team_need_none) {
  const ThreadScope one(1);
  WithTeam([] { cr_expect(LoopsVisitAll(10, 1)); });
  const ThreadScope three(3);
  WithTeam([] { WithTeam([] { cr_expect(LoopsVisitAll(10, 10)); }); });
}

Test(team, a_loop_inside_a_loop_does_not_start_threads) {
  const ThreadScope scope(2);
  WithTeam([] {
    ParallelFor(2, 1, [](int64_t, int64_t) { cr_expect_eq(CurrentThreads(), 1); });
    cr_expect_eq(CurrentThreads(), 2);
  });
}

Test(team, what_is_thrown_comes_out_of_it) {
  const ThreadScope scope(2);
  cr_expect_throw(WithTeam([] { throw std::runtime_error("an error"); }), std::runtime_error);
  WithTeam([] { cr_expect(LoopsVisitAll(10, 10)); });
}
