// Team: threads that stay close by while one thread runs many parallel loops. Starting an OpenMP
// region and ending it takes over a microsecond, as long as a small loop; a thread of a team that
// waits for its part of the next loop takes it up in a fraction of one.
#ifndef INTMILL_BASE_TEAM_H
#define INTMILL_BASE_TEAM_H

#include <array>
#include <atomic>
#include <cstdint>

namespace intmill::internal {

class Team {
 public:
  static constexpr int64_t kMaxThreads = 128;
  using Part = void (*)(void* work, int64_t part) noexcept;

  // Calls body() on the calling thread, which leads a team of at most so many threads meanwhile.
  static void Lead(int64_t threads, void (*call)(void* body), void* body);
  // Which the calling thread leads; null: none, or it is at work on a part of a loop.
  static Team* Led();

  int64_t threads() const { return threads_; }

  // Calls part(work, i) for each i below `count`, which is at most threads(): for 0 on the calling
  // thread, for others each on one of its own. Parts of threads that have not come when the caller
  // is done, as they may be on no core at all for a while, are done by the caller; unless threads
  // `must_come`. A part throws nothing, as others may still be at theirs.
  void Run(int64_t count, Part part, void* work, bool must_come);

 private:
  enum State : int { kFree, kPosted, kTaken, kClosed };
  // What a thread waits at, in a line of its own.
  struct alignas(64) Post {
    std::atomic<int> state = kFree;
    Part part = nullptr;
    void* work = nullptr;
  };

  void Serve(int64_t thread);
  void Close();
  template <typename IsDone>
  int WaitUntil(std::atomic<int>& state, const IsDone& is_done) const;

  std::array<Post, kMaxThreads> posts_;  // [0] is not used
  int64_t threads_ = 1;
  int64_t turns_ = 0;  // of waiting awake, before sleep
};

}  // namespace intmill::internal

#endif  // INTMILL_BASE_TEAM_H
