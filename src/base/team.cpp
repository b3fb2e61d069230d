// One OpenMP region, whose first thread leads while the others wait at their posts. They are
// OpenMP's own threads: a pool of ours beside it would double the threads.
#include "base/team.h"

#include <cstdlib>
#include <exception>
#include <omp.h>
#include <string_view>
#include <utility>

#include "base/cpu.h"

namespace intmill::internal {
namespace {

thread_local Team* led = nullptr;

void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// A millisecond, which few steps of one thread take; hardly any where threads share cores, or where
// the user wants OpenMP's threads to sleep.
int64_t TurnsAwake(int64_t threads) {
  constexpr int64_t kMany = 20'000;
  constexpr int64_t kFew = 100;
  static const bool should_sleep = [] {
    const char* const policy = std::getenv("OMP_WAIT_POLICY");
    return policy != nullptr &&
           (policy == std::string_view("passive") || policy == std::string_view("PASSIVE"));
  }();
  return should_sleep || threads > AvailableCpus() ? kFew : kMany;
}

}  // namespace

template <typename IsDone>
int Team::WaitUntil(std::atomic<int>& state, const IsDone& is_done) const {
  int now = state.load(std::memory_order_acquire);
  for (int64_t turn = 0; !is_done(now); ++turn) {
    if (turn < turns_)
      Relax();
    else
      state.wait(now, std::memory_order_acquire);
    now = state.load(std::memory_order_acquire);
  }
  return now;
}

Team* Team::Led() { return led; }

void Team::Lead(int64_t threads, void (*call)(void* body), void* body) {
  Team team;
  team.turns_ = TurnsAwake(threads);
  std::exception_ptr thrown;  // must not leave the region
#pragma omp parallel num_threads(static_cast <int>(threads))
  {
    const int64_t thread = omp_get_thread_num();
    if (thread > 0) {
      team.Serve(thread);
    } else {
      team.threads_ = omp_get_num_threads();
      led = &team;
      try {
        call(body);
      } catch (...) {
        thrown = std::current_exception();
      }
      led = nullptr;
      team.Close();
    }
  }
  if (thrown != nullptr) std::rethrow_exception(thrown);
}

void Team::Serve(int64_t thread) {
  Post& post = posts_[static_cast<size_t>(thread)];
  while (WaitUntil(post.state, [](int s) { return s != kFree; }) != kClosed) {
    int posted = kPosted;
    if (!post.state.compare_exchange_strong(posted, kTaken, std::memory_order_acquire)) continue;
    post.part(post.work, thread);
    post.state.store(kFree, std::memory_order_release);
    post.state.notify_one();
  }
}

void Team::Close() {
  for (int64_t i = 1; i < threads_; ++i) {
    Post& post = posts_[static_cast<size_t>(i)];
    post.state.store(kClosed, std::memory_order_release);
    post.state.notify_one();
  }
}

void Team::Run(int64_t count, Part part, void* work, bool must_come) {
  for (int64_t i = 1; i < count; ++i) {
    Post& post = posts_[static_cast<size_t>(i)];
    post.part = part;
    post.work = work;
    post.state.store(kPosted, std::memory_order_release);
    post.state.notify_one();
  }
  Team* const own = std::exchange(led, nullptr);  // loops in a part are for its thread alone
  part(work, 0);
  for (int64_t i = 1; i < count; ++i) {
    Post& post = posts_[static_cast<size_t>(i)];
    int posted = kPosted;
    if (!must_come && post.state.compare_exchange_strong(posted, kFree, std::memory_order_acquire))
      part(work, i);
    else
      WaitUntil(post.state, [](int s) { return s == kFree; });
  }
  led = own;
}

}  // namespace intmill::internal
