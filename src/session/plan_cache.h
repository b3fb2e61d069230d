// Plans by input shape, and by the values that shapes depend on: built on first use, the most
// recent ones kept.
#ifndef INTMILL_SESSION_PLAN_CACHE_H
#define INTMILL_SESSION_PLAN_CACHE_H

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/plan.h"
#include "session/shape_values.h"
#include "tensor/shape.h"

namespace intmill {

// A plan and the run states that no run is using now. Profile times of all its states are added up
// when a state comes back, and when a binding that keeps its own says so.
class PlanEntry {
 public:
  // `values` as CopyShapeValues gives them: the plan holds for inputs with these values only.
  PlanEntry(std::shared_ptr<const Plan> plan, std::vector<Tensor> values)
      : plan_(std::move(plan)),
        values_(std::move(values)),
        times_(static_cast<size_t>(plan_->Steps().rows.size())) {}

  const std::shared_ptr<const Plan>& plan() const { return plan_; }
  bool Fits(std::span<const Tensor> inputs) const;
  bool holds_values() const { return !values_.empty(); }
  // An idle run state, or a new one.
  Result<std::unique_ptr<RunState>> Take(bool profile);
  void GiveBack(std::unique_ptr<RunState> state);
  // Adds up the times of a state that stays lent, and clears them.
  void CollectTimes(RunState& state);
  std::vector<RunState::StepTime> times() const;
  int64_t state_count() const;

 private:
  void AddTimes(RunState& state);  // locked

  std::shared_ptr<const Plan> plan_;
  std::vector<Tensor> values_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<RunState>> idle_;
  std::vector<RunState::StepTime> times_;
  int64_t states_ = 0;
};

class PlanCache {
 public:
  static constexpr size_t kCapacity = 8;
  using Build = std::function<Result<std::shared_ptr<const Plan>>(std::span<const Shape> shapes,
                                                                  std::span<const Tensor> values)>;

  explicit PlanCache(Build build) : build_(std::move(build)) {}

  // The plan for these inputs. Thread-safe; one plan is built at a time.
  Result<std::shared_ptr<PlanEntry>> Get(std::span<const Tensor> inputs);
  // Builds the plan for these shapes when nothing depends on values.
  Status Warm(std::span<const Shape> input_shapes);
  // True once a plan was built that holds for some values only.
  bool reads_values() const { return level_ != ShapeValues::kNone; }
  std::vector<std::shared_ptr<PlanEntry>> All() const;

 private:
  Result<std::shared_ptr<PlanEntry>> BuildEntry(std::span<const Tensor> inputs, ShapeValues level);

  Build build_;
  std::atomic<ShapeValues> level_ = ShapeValues::kNone;
  mutable std::mutex mutex_;
  std::list<std::shared_ptr<PlanEntry>> entries_;  // most recently used first
};

}  // namespace intmill

#endif  // INTMILL_SESSION_PLAN_CACHE_H
