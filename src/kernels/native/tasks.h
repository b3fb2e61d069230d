// Work split into a fixed number of tasks, each with scratch memory of its own: what a kernel needs
// that may not allocate while it runs.
#ifndef INTMILL_KERNELS_NATIVE_TASKS_H
#define INTMILL_KERNELS_NATIVE_TASKS_H

#include <algorithm>
#include <cstddef>

#include "base/parallel.h"

namespace intmill::native {

class Tasks {
 public:
  static constexpr int64_t kMaxTasks = 32;

  Tasks(int64_t rows, int64_t bytes_per_task)
      : rows_(rows),
        count_(std::clamp<int64_t>(rows, 1, kMaxTasks)),
        bytes_((bytes_per_task + 63) / 64 * 64) {}

  int64_t scratch_bytes() const { return count_ * bytes_; }

  // Calls body(first row, end row, scratch of bytes_per_task bytes).
  template <typename Body>
  void Run(std::byte* scratch, Body&& body) const {
    ParallelFor(count_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        body(rows_ * i / count_, rows_ * (i + 1) / count_, scratch + i * bytes_);
    });
  }

 private:
  int64_t rows_;
  int64_t count_;
  int64_t bytes_;
};

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_TASKS_H
