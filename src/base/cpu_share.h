// One budget of CPUs for the whole process, so that runs of many sessions do not fight over cores.
#ifndef INTMILL_BASE_CPU_SHARE_H
#define INTMILL_BASE_CPU_SHARE_H

#include <cstdint>

namespace intmill {

// Held during a run that uses more than one thread. Such runs wait for each other while together
// they would use more CPUs than the process may; a single-threaded run never waits and takes no
// lock. OpenMP keeps a pool of threads for every thread that ever ran a parallel loop: when the
// pools together outgrow the budget, the calling thread's own one is given back at the end.
class CpuShare {
 public:
  explicit CpuShare(int64_t threads);
  ~CpuShare();
  CpuShare(const CpuShare&) = delete;
  CpuShare& operator=(const CpuShare&) = delete;

 private:
  int64_t threads_;
};

}  // namespace intmill

#endif  // INTMILL_BASE_CPU_SHARE_H
