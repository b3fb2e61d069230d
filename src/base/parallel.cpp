// Parallel loops over OpenMP, and the guards that libgomp needs: see robustness facts in the
// comments. OpenMP is used because oneDNN runs on it; a second pool would double the threads.
#include "base/parallel.h"

#include <algorithm>
#include <omp.h>
#include <pthread.h>
#include <vector>

namespace intmill {
namespace {

// A child of fork() inherits libgomp's records of threads that do not exist there, and waits for
// them for ever. Giving the forking thread's pool back just before the fork prevents that; the
// next loop of parent or child starts a new one. Registered late, so that a program that only
// loads the library is left alone.
void RegisterForkHandler() {
  static const bool registered = [] {
    pthread_atfork([] { omp_pause_resource_all(omp_pause_soft); }, nullptr, nullptr);
    return true;
  }();
  static_cast<void>(registered);
}

struct Gate {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
};

void* PassGate(void* gate) {
  pthread_mutex_t* mutex = &static_cast<Gate*>(gate)->mutex;
  pthread_mutex_lock(mutex);
  pthread_mutex_unlock(mutex);
  return nullptr;
}

// How many of `wanted` threads (the calling one included) can exist at once. They are all held
// until the last was started, because limits count living threads.
int64_t ProbeThreads(int64_t wanted) {
  Gate gate;
  std::vector<pthread_t> started;
  started.reserve(static_cast<size_t>(wanted));
  pthread_mutex_lock(&gate.mutex);
  for (int64_t i = 1; i < wanted; ++i) {
    pthread_t thread = {};
    if (pthread_create(&thread, nullptr, PassGate, &gate) != 0) break;
    started.push_back(thread);
  }
  pthread_mutex_unlock(&gate.mutex);
  for (const pthread_t thread : started) pthread_join(thread, nullptr);
  return static_cast<int64_t>(started.size()) + 1;
}

// libgomp ends the process when it cannot create a thread, hence the probe. Pools belong to the
// calling thread, so does what was proven; a failed count is not tried again.
int64_t ClampToStartable(int64_t threads) {
  thread_local int64_t proven = 1;
  thread_local int64_t refused = INT64_MAX;
  if (threads <= proven) return threads;
  if (threads >= refused) return proven;
  const int64_t startable = ProbeThreads(threads);
  if (startable < threads) refused = threads;
  proven = std::max(proven, std::min(startable, threads));
  return std::min(threads, proven);
}

constexpr int64_t kMaxThreads = 1024;

}  // namespace

ThreadScope::ThreadScope(int64_t threads) : previous_(omp_get_max_threads()) {
  const int64_t wanted = std::clamp<int64_t>(threads, 1, kMaxThreads);
  if (wanted > 1) RegisterForkHandler();
  omp_set_num_threads(static_cast<int>(ClampToStartable(wanted)));
}

ThreadScope::~ThreadScope() { omp_set_num_threads(previous_); }

int64_t CurrentThreads() { return omp_in_parallel() != 0 ? 1 : omp_get_max_threads(); }

namespace internal {

void ParallelRanges(int64_t n, int64_t grain, RangeFn fn, void* body) {
  if (n <= 0) return;
  const int64_t threads = CurrentThreads();
  const int64_t ranges = std::clamp<int64_t>(n / std::max<int64_t>(grain, 1), 1, threads);
  if (ranges == 1) {
    fn(body, 0, n);
    return;
  }
  // Every region has all the threads, though some may idle: libgomp ends the threads that a
  // smaller region leaves over, and starting them again costs more than a loop.
#pragma omp parallel num_threads(static_cast <int>(threads))
  {
    // Fewer threads than asked for may have come; the stride makes them do all ranges.
    for (int64_t i = omp_get_thread_num(); i < ranges; i += omp_get_num_threads())
      fn(body, n / ranges * i + std::min(i, n % ranges),
         n / ranges * (i + 1) + std::min(i + 1, n % ranges));
  }
}

}  // namespace internal
}  // namespace intmill
