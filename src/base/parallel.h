// OpenMP in one place: loops over independent ranges, and a thread count that is given back.
#ifndef INTMILL_BASE_PARALLEL_H
#define INTMILL_BASE_PARALLEL_H

#include <cstdint>
#include <span>
#include <type_traits>

namespace intmill {

// How many threads the calling thread's parallel loops use from now on; the destructor restores
// the caller's setting. Clamped to what the process can really start (a failing pthread_create
// inside libgomp ends the process, so a probe shrinks it first).
class ThreadScope {
 public:
  explicit ThreadScope(int64_t threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int previous_;
};

// Threads that parallel loops of the calling thread may use now.
int64_t CurrentThreads();

constexpr int64_t kMaxShares = 128;

namespace internal {
using RangeFn = void (*)(void* body, int64_t begin, int64_t end);
void ParallelRanges(int64_t n, int64_t grain, RangeFn fn, void* body);
using ThreadFn = void (*)(void* body);
void OnEachThread(ThreadFn fn, void* body);
using StepsFn = void (*)(void* body, int64_t worker, int64_t share, int64_t first, int64_t end);
void ParallelShares(std::span<const int64_t> steps, StepsFn fn, void* body);
void WithTeam(ThreadFn fn, void* body);
}  // namespace internal

// Calls body(begin, end) over disjoint ranges that cover [0, n), on at most CurrentThreads()
// threads and with at least `grain` indices each; one thread enters no OpenMP region.
template <typename Body>
void ParallelFor(int64_t n, int64_t grain, Body&& body) {
  internal::ParallelRanges(
      n, grain,
      [](void* b, int64_t begin, int64_t end) {
        (*static_cast<std::remove_reference_t<Body>*>(b))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Calls body() once on each thread of the calling thread's parallel loops, itself among them.
template <typename Body>
void OnEachThread(Body&& body) {
  internal::OnEachThread([](void* b) { (*static_cast<std::remove_reference_t<Body>*>(b))(); },
                         const_cast<void*>(static_cast<const void*>(&body)));
}

// Work in shares, one for each thread that is to help (at most kMaxShares), share i of `steps[i]`
// steps. A thread takes the steps of its own share in order: what they read and write stays near
// it. When it is done it takes the last steps of others, up to half of a share: they may be on
// slower cores, or not on a core at all for a while. Calls body(worker, share, first, end) for
// steps [first, end) of a share, so that each is in one call; two calls at the same time have
// different workers, below the number of shares.
template <typename Body>
void ParallelShares(std::span<const int64_t> steps, Body&& body) {
  internal::ParallelShares(
      steps,
      [](void* b, int64_t worker, int64_t share, int64_t first, int64_t end) {
        (*static_cast<std::remove_reference_t<Body>*>(b))(worker, share, first, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Calls body() on the calling thread, with the threads of its parallel loops close by
// (base/team.h). What starts OpenMP regions by itself, as oneDNN does, gets one thread in there.
template <typename Body>
void WithTeam(Body&& body) {
  internal::WithTeam([](void* b) { (*static_cast<std::remove_reference_t<Body>*>(b))(); },
                     const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace intmill

#endif  // INTMILL_BASE_PARALLEL_H
