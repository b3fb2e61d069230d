// Many callers with several threads each must not fill the process with OpenMP pools.
#include "base/cpu_share.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/cpu.h"
#include "base/parallel.h"

namespace {

int64_t LivingThreads() {
  using std::filesystem::directory_iterator;
  return std::distance(directory_iterator("/proc/self/task"), directory_iterator());
}

}  // namespace

int main() {
  constexpr int64_t kCallers = 16;
  const int64_t threads_a_run = std::max<int64_t>(2, intmill::AvailableCpus());
  std::atomic<int64_t> most = 0;
  std::atomic<int64_t> most_at_once = 0;
  std::atomic<int64_t> running = 0;
  std::atomic<int64_t> finished = 0;
  std::vector<std::thread> callers;
  for (int64_t c = 0; c < kCallers; ++c)
    callers.emplace_back([&] {
      for (int run = 0; run < 200; ++run) {
        const intmill::CpuShare share(threads_a_run);
        const intmill::ThreadScope scope(threads_a_run);
        most_at_once = std::max(most_at_once.load(), ++running);
        intmill::ParallelFor(threads_a_run, 1, [](int64_t, int64_t) {});
        --running;
        most = std::max(most.load(), LivingThreads());
      }
      ++finished;
      while (finished < kCallers) std::this_thread::yield();  // pools of idle callers count too
      most = std::max(most.load(), LivingThreads());
    });
  for (std::thread& caller : callers) caller.join();
  const int64_t allowed = 1 + kCallers + 2 * threads_a_run;
  std::printf(
      "%ld callers with %ld threads each: %ld threads at most, %ld allowed; %ld runs at once\n",
      static_cast<long>(kCallers), static_cast<long>(threads_a_run), static_cast<long>(most.load()),
      static_cast<long>(allowed), static_cast<long>(most_at_once.load()));
  return most <= allowed && most_at_once == 1 ? 0 : 1;
}
