// A small LRU: a server sees few shapes, and packed weights are what a plan costs.
#include "session/plan_cache.h"

#include <algorithm>

namespace intmill {

Result<std::unique_ptr<RunState>> PlanEntry::Take(bool profile) {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<RunState> state = std::move(idle_.back());
      idle_.pop_back();
      return state;
    }
  }
  ASSIGN_OR_RETURN(std::unique_ptr<RunState> state, RunState::Create(plan_, profile));
  const std::lock_guard lock(mutex_);
  ++states_;
  // Room for every state there is, so that giving one back never allocates.
  idle_.reserve(static_cast<size_t>(states_));
  return state;
}

void PlanEntry::AddTimes(RunState& state) {
  const std::span<const RunState::StepTime> times = state.times();
  for (size_t i = 0; i < times.size(); ++i) {
    times_[i].calls += times[i].calls;
    times_[i].microseconds += times[i].microseconds;
  }
  state.ClearTimes();
}

void PlanEntry::GiveBack(std::unique_ptr<RunState> state) {
  const std::lock_guard lock(mutex_);
  AddTimes(*state);
  idle_.push_back(std::move(state));
}

void PlanEntry::CollectTimes(RunState& state) {
  const std::lock_guard lock(mutex_);
  AddTimes(state);
}

std::vector<RunState::StepTime> PlanEntry::times() const {
  const std::lock_guard lock(mutex_);
  return times_;
}

int64_t PlanEntry::state_count() const {
  const std::lock_guard lock(mutex_);
  return states_;
}

bool PlanEntry::Fits(std::span<const Tensor> inputs) const {
  return std::ranges::equal(plan_->input_shapes(), inputs, {}, {}, &Tensor::shape) &&
         HoldsShapeValues(inputs, values_);
}

Result<std::shared_ptr<PlanEntry>> PlanCache::BuildEntry(std::span<const Tensor> inputs,
                                                         ShapeValues level) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  ASSIGN_OR_RETURN(std::vector<Tensor> values, CopyShapeValues(inputs, level));
  if (level != ShapeValues::kNone && values.empty())
    return Error(Code::kUnsupported, "no input is small enough to hold a shape");
  ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, build_(shapes, values));
  return std::make_shared<PlanEntry>(std::move(plan), std::move(values));
}

Result<std::shared_ptr<PlanEntry>> PlanCache::Get(std::span<const Tensor> inputs) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(
      entries_, [&](const std::shared_ptr<PlanEntry>& entry) { return entry->Fits(inputs); });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front();
  }
  const ShapeValues first = level_;
  Result<std::shared_ptr<PlanEntry>> entry = BuildEntry(inputs, first);
  for (ShapeValues level = first; !entry.ok() && level < ShapeValues::kIntegersAndFloats;) {
    if (entry.status().code() != Code::kUnsupported) break;
    level = static_cast<ShapeValues>(static_cast<int>(level) + 1);
    Result<std::shared_ptr<PlanEntry>> with_values = BuildEntry(inputs, level);
    if (!with_values.ok()) continue;
    entry = std::move(with_values);
    level_ = level;
  }
  if (!entry.ok()) return entry;
  entries_.push_front(*entry);
  if (entries_.size() > kCapacity) entries_.pop_back();
  return entry;
}

Status PlanCache::Warm(std::span<const Shape> input_shapes) {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, build_(input_shapes, {}));
  entries_.push_front(std::make_shared<PlanEntry>(std::move(plan), std::vector<Tensor>()));
  return Ok();
}

std::vector<std::shared_ptr<PlanEntry>> PlanCache::All() const {
  const std::lock_guard lock(mutex_);
  return {entries_.begin(), entries_.end()};
}

}  // namespace intmill
