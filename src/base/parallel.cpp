// Parallel loops over OpenMP, and the guards that libgomp needs: see robustness facts in the
// comments. OpenMP is used because oneDNN runs on it; a second pool would double the threads.
#include "base/parallel.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <omp.h>
#include <pthread.h>
#include <type_traits>
#include <vector>

#include "base/team.h"

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

struct Steps {
  int64_t first;
  int64_t end;
};

// The steps of a share that are open to all. The first half is not, and its thread then takes half
// of them each time: an atomic operation waits until all that its thread wrote has left for the
// cache, a third of a microsecond. A line of its own, as its thread changes it.
class OpenSteps {
 public:
  explicit OpenSteps(int64_t steps) : own_((steps + 1) / 2), open_(Pack({own_, steps})) {}

  Steps Own() const { return {0, own_}; }

  Steps TakeFirst() { return Take(true); }
  Steps TakeLast() { return Take(false); }

 private:
  static uint64_t Pack(Steps s) {
    return static_cast<uint64_t>(s.first) | static_cast<uint64_t>(s.end) << 32;
  }
  static Steps Unpack(uint64_t s) {
    return {static_cast<int64_t>(s & 0xffffffff), static_cast<int64_t>(s >> 32)};
  }

  // The first half of them or the last one; none: none is left. Steps are independent, and the
  // region's end orders them before what follows.
  Steps Take(bool is_first) {
    uint64_t open = open_.load(std::memory_order_relaxed);
    for (Steps s = Unpack(open); s.first < s.end; s = Unpack(open)) {
      const int64_t split = is_first ? s.first + (s.end - s.first + 1) / 2 : s.end - 1;
      const Steps front = {s.first, split};
      const Steps back = {split, s.end};
      if (open_.compare_exchange_weak(open, Pack(is_first ? back : front),
                                      std::memory_order_relaxed))
        return is_first ? front : back;
    }
    return {0, 0};
  }

  alignas(64) const int64_t own_;
  std::atomic<uint64_t> open_;
};

}  // namespace

ThreadScope::ThreadScope(int64_t threads) : previous_(omp_get_max_threads()) {
  const int64_t wanted = std::clamp<int64_t>(threads, 1, kMaxThreads);
  if (wanted > 1) RegisterForkHandler();
  omp_set_num_threads(static_cast<int>(ClampToStartable(wanted)));
}

ThreadScope::~ThreadScope() { omp_set_num_threads(previous_); }

int64_t CurrentThreads() {
  if (const internal::Team* const team = internal::Team::Led()) return team->threads();
  return omp_in_parallel() != 0 ? 1 : omp_get_max_threads();
}

namespace internal {
namespace {

// Calls part(i) for each i below `count`, on as many threads where they come. Every region has all
// the threads, though some may idle: libgomp ends the threads that a smaller region leaves over,
// and starting them again costs more than a loop.
template <typename Part>
void RunParts(int64_t count, bool must_come, Part&& part) {
  if (Team* const team = Team::Led()) {
    team->Run(
        count,
        [](void* p, int64_t i) noexcept { (*static_cast<std::remove_reference_t<Part>*>(p))(i); },
        &part, must_come);
    return;
  }
  // Fewer threads than asked for may have come; the stride makes them do all parts.
#pragma omp parallel num_threads(static_cast <int>(CurrentThreads()))
  for (int64_t i = omp_get_thread_num(); i < count; i += omp_get_num_threads()) part(i);
}

}  // namespace

void ParallelRanges(int64_t n, int64_t grain, RangeFn fn, void* body) {
  if (n <= 0) return;
  const int64_t ranges = std::clamp<int64_t>(n / std::max<int64_t>(grain, 1), 1, CurrentThreads());
  if (ranges == 1) {
    fn(body, 0, n);
    return;
  }
  RunParts(ranges, false, [&](int64_t i) {
    fn(body, n / ranges * i + std::min(i, n % ranges),
       n / ranges * (i + 1) + std::min(i + 1, n % ranges));
  });
}

void OnEachThread(ThreadFn fn, void* body) {
  RunParts(CurrentThreads(), true, [&](int64_t) { fn(body); });
}

void ParallelShares(std::span<const int64_t> steps, StepsFn fn, void* body) {
  const auto count = static_cast<int64_t>(steps.size());
  if (count == 0) return;
  if (count == 1) {
    fn(body, 0, 0, 0, steps[0]);
    return;
  }
  // Begun for these shares alone: all together fill a fifth of the nearest cache.
  union Room {
    Room() {}
    std::array<OpenSteps, kMaxShares> steps;
  } room;
  auto& open = room.steps;
  for (size_t i = 0; i < steps.size(); ++i) std::construct_at(&open[i], steps[i]);
  RunParts(count, false, [&](int64_t worker) {
    OpenSteps& own = open[static_cast<size_t>(worker)];
    for (Steps s = own.Own(); s.first < s.end; s = own.TakeFirst())
      fn(body, worker, worker, s.first, s.end);
    for (int64_t i = 1; i < count; ++i) {
      const int64_t share = (worker + i) % count;
      OpenSteps& other = open[static_cast<size_t>(share)];
      for (Steps s = other.TakeLast(); s.first < s.end; s = other.TakeLast())
        fn(body, worker, share, s.first, s.end);
    }
  });
}

void WithTeam(ThreadFn fn, void* body) {
  const int64_t threads = CurrentThreads();
  if (threads == 1 || threads > Team::kMaxThreads || Team::Led() != nullptr)
    fn(body);
  else
    Team::Lead(threads, fn, body);
}

}  // namespace internal
}  // namespace intmill
