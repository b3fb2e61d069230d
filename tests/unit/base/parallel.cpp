// Tests of parallel loops, thread counts, and what the process may use.
#include "base/parallel.h"

#include <atomic>
#include <criterion/criterion.h>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/cpu.h"
#include "base/memory.h"

using namespace intmill;

namespace {

// How often each index was visited.
std::vector<int> Visits(int64_t n, int64_t grain) {
  std::vector<int> visits(static_cast<size_t>(n), 0);
  ParallelFor(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
  });
  return visits;
}

int64_t Ranges(int64_t n, int64_t grain) {
  std::atomic<int64_t> ranges = 0;
  ParallelFor(n, grain, [&](int64_t, int64_t) { ++ranges; });
  return ranges;
}

struct Step {
  int64_t worker;
  int64_t share;
  int64_t step;
};

// In the order in which they were begun.
std::vector<Step> StepsTaken(const std::vector<int64_t>& steps,
                             const std::function<void(const Step&)>& work) {
  std::mutex mutex;
  std::vector<Step> taken;
  ParallelShares(steps, [&](int64_t worker, int64_t share, int64_t first, int64_t end) {
    for (int64_t step = first; step < end; ++step) {
      const Step one = {worker, share, step};
      {
        const std::lock_guard lock(mutex);
        taken.push_back(one);
      }
      work(one);
    }
  });
  return taken;
}

}  // namespace

Test(parallel, every_index_is_visited_once) {
  const ThreadScope scope(3);
  cr_expect(Visits(1000, 1) == std::vector<int>(1000, 1));
  cr_expect(Visits(7, 2) == std::vector<int>(7, 1));
}

Test(parallel, nothing_is_called_for_an_empty_range) { cr_expect_eq(Ranges(0, 1), 0); }

Test(parallel, the_grain_limits_the_number_of_ranges) {
  const ThreadScope scope(4);
  cr_expect_eq(Ranges(10, 5), 2);
  cr_expect_eq(Ranges(9, 5), 1);
  cr_expect_eq(Ranges(1000, 1), 4);
}

Test(parallel, one_thread_runs_on_the_caller) {
  const ThreadScope scope(1);
  std::thread::id runner;
  ParallelFor(1000, 1, [&](int64_t, int64_t) { runner = std::this_thread::get_id(); });
  cr_expect(runner == std::this_thread::get_id());
}

Test(parallel, a_loop_inside_a_loop_does_not_start_threads) {
  const ThreadScope scope(2);
  std::atomic<int64_t> inner = 0;
  ParallelFor(2, 1, [&](int64_t, int64_t) { inner += Ranges(100, 1); });
  cr_expect_eq(inner, 2);
}

Test(parallel, every_step_of_every_share_is_taken_once) {
  const ThreadScope scope(3);
  const std::vector<int64_t> steps = {5, 0, 200};
  std::vector<std::vector<int>> times = {std::vector<int>(5), {}, std::vector<int>(200)};
  for (const Step& s : StepsTaken(steps, [](const Step&) {})) {
    cr_expect_lt(s.worker, 3);
    ++times[static_cast<size_t>(s.share)][static_cast<size_t>(s.step)];
  }
  cr_expect(times[0] == std::vector<int>(5, 1));
  cr_expect(times[2] == std::vector<int>(200, 1));
}

Test(parallel, a_thread_that_is_done_takes_the_last_steps_of_others) {
  const ThreadScope scope(2);
  std::atomic<bool> has_begun = false;
  std::atomic<int64_t> taken = 0;
  // Share 0 waits until the other thread is in the first step of its own, and that until the one
  // that is done has taken the half that is open to it.
  const std::vector<Step> steps = StepsTaken({1, 6}, [&](const Step& s) {
    ++taken;
    if (s.share == 1 && s.step == 0) has_begun = true;
    while (s.share == 0 ? !has_begun : s.step == 0 && taken < 5) std::this_thread::yield();
  });
  std::vector<int64_t> of_first;
  for (const Step& s : steps)
    if (s.share == 1 && s.worker == 0) of_first.push_back(s.step);
  cr_expect(of_first == (std::vector<int64_t>{5, 4, 3}));
}

Test(parallel, one_share_is_done_in_order_on_the_caller) {
  const ThreadScope scope(4);
  std::vector<int64_t> order;
  for (const Step& s : StepsTaken({3}, [](const Step&) {})) order.push_back(s.step);
  cr_expect(order == (std::vector<int64_t>{0, 1, 2}));
}

Test(parallel, a_scope_gives_the_thread_count_back) {
  const int64_t before = CurrentThreads();
  {
    const ThreadScope scope(3);
    cr_expect_eq(CurrentThreads(), 3);
    const ThreadScope inner(2);
    cr_expect_eq(CurrentThreads(), 2);
  }
  cr_expect_eq(CurrentThreads(), before);
}

Test(parallel, a_scope_of_less_than_one_thread_is_one) {
  const ThreadScope scope(-4);
  cr_expect_eq(CurrentThreads(), 1);
}

Test(cpu, at_least_one_cpu_is_available) { cr_expect_geq(AvailableCpus(), 1); }

Test(cpu, only_isas_with_the_byte_dot_product_have_vnni) {
  cr_expect_not(HasVnni(Isa::kBaseline));
  cr_expect_not(HasVnni(Isa::kAvx2));
  cr_expect_not(HasVnni(Isa::kAvx512));
  cr_expect(HasVnni(Isa::kAvx2Vnni));
  cr_expect(HasVnni(Isa::kAvx512Vnni));
  cr_expect(HasVnni(Isa::kAmx));
}

Test(cpu, names_are_those_of_the_public_enum) {
  cr_expect_str_eq(IsaName(Isa::kAvx2Vnni), "avx2_vnni");
  cr_expect_str_eq(IsaName(static_cast<Isa>(5)), "unknown");
}

Test(memory, is_aligned_and_zeroed) {
  const Result<AlignedBytes> bytes = AllocateAligned(100);
  cr_assert(bytes.ok());
  cr_expect_eq(reinterpret_cast<uintptr_t>(bytes->get()) % 64, 0);
  for (int i = 0; i < 100; ++i) cr_expect_eq((*bytes)[static_cast<size_t>(i)], std::byte{0});
}

Test(memory, refuses_negative_and_impossible_sizes) {
  cr_expect_eq(AllocateAligned(-1).status().code(), Code::kOutOfMemory);
  cr_expect_eq(AllocateAligned(INT64_MAX).status().code(), Code::kOutOfMemory);
  cr_expect_eq(AllocateAligned(int64_t{1} << 60).status().code(), Code::kOutOfMemory);
}

Test(memory, huge_pages_are_aligned_and_zeroed_and_refuse_impossible_sizes) {
  const Result<HugeBytes> bytes = AllocateHuge(3 << 20);
  cr_assert(bytes.ok());
  cr_expect_eq(reinterpret_cast<uintptr_t>(bytes->get()) % (2 << 20), 0);
  cr_expect_eq((*bytes)[0], std::byte{0});
  cr_expect_eq((*bytes)[(3 << 20) - 1], std::byte{0});
  for (const int64_t impossible : {int64_t{-1}, int64_t{0}, int64_t{1} << 60, INT64_MAX})
    cr_expect_eq(AllocateHuge(impossible).status().code(), Code::kOutOfMemory);
}

Test(cpu, the_processor_has_a_name_without_blanks_around_it) {
  const std::string name = CpuName();
  cr_assert_not(name.empty());
  cr_expect_neq(name.front(), ' ');
  cr_expect_neq(name.back(), ' ');
}

Test(cpu, no_more_cpus_are_available_than_the_machine_has) {
  cr_expect_leq(AvailableCpus(), MachineCpus());
}
