// The budget is a counter behind a mutex: runs are milliseconds long, waits are rare and fair
// enough.
#include "base/cpu_share.h"

#include <condition_variable>
#include <mutex>
#include <omp.h>

#include "base/cpu.h"

namespace intmill {
namespace {

struct Budget {
  std::mutex mutex;
  std::condition_variable released;
  int64_t in_use = 0;        // threads of the runs under way
  int64_t pool_threads = 0;  // idle or not, of all callers' OpenMP pools
};

Budget& TheBudget() {
  // Never destroyed: a host's thread may still be running when the process exits.
  static auto* const budget = new Budget;
  return *budget;
}

// How many threads the calling thread's OpenMP pool holds beside itself; gone with the thread.
struct Pool {
  int64_t threads = 0;
  ~Pool() {
    if (threads == 0) return;
    const std::lock_guard lock(TheBudget().mutex);
    TheBudget().pool_threads -= threads;
  }
};
thread_local Pool pool;

}  // namespace

CpuShare::CpuShare(int64_t threads) : threads_(threads) {
  if (threads_ <= 1) return;
  Budget& budget = TheBudget();
  std::unique_lock lock(budget.mutex);
  budget.released.wait(
      lock, [&] { return budget.in_use == 0 || budget.in_use + threads_ <= AvailableCpus(); });
  budget.in_use += threads_;
  budget.pool_threads += threads_ - 1 - pool.threads;
  pool.threads = threads_ - 1;
}

CpuShare::~CpuShare() {
  if (threads_ <= 1) return;
  Budget& budget = TheBudget();
  const std::lock_guard lock(budget.mutex);
  if (budget.pool_threads > AvailableCpus()) {
    omp_pause_resource_all(omp_pause_soft);
    budget.pool_threads -= pool.threads;
    pool.threads = 0;
  }
  budget.in_use -= threads_;
  budget.released.notify_all();
}

}  // namespace intmill
