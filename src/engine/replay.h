// Replay: a run that keeps every value, and then runs of only what depends on one of them.
#ifndef INTMILL_ENGINE_REPLAY_H
#define INTMILL_ENGINE_REPLAY_H

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/plan.h"
#include "tensor/tensor.h"

namespace intmill {

class Replay {
 public:
  // A kept value, in memory order.
  struct Value {
    Tensor tensor;
    Layout layout = Layout::kPlain;
  };
  // What runs when readers of one value get another one instead.
  class Change;

  // `plan` was compiled with keep_values. As many workers may rerun at the same time.
  static Result<std::unique_ptr<Replay>> Create(std::shared_ptr<const Plan> plan, int64_t workers);
  struct Impl;
  explicit Replay(std::unique_ptr<Impl> impl);  // for Create
  ~Replay();

  // Every step, on the calling thread's own number of threads. The inputs, dense and of the plan's
  // types and shapes, stay in use until the next Run.
  Status Run(std::span<const void* const> inputs);
  int64_t steps() const;         // that an output of the plan needs
  int64_t worker_bytes() const;  // of one worker's memory
  // Valid until the next Run; nothing when the plan does not compute a value of this name.
  std::optional<Value> Find(std::string_view name) const;
  // Of Run, in the order of the plan's outputs.
  std::span<const Tensor> outputs() const;

  // Readers of `from` read `to`, which lies and is typed as `from`. Only steps that lead from there
  // to an output of the plan are part of it. Nothing when one of the two is not computed.
  Result<std::unique_ptr<Change>> Prepare(std::string_view from, std::string_view to) const;
  // The outputs under a change. They belong to the worker and live until its next call.
  Result<std::span<const Tensor>> Rerun(const Change& change, int64_t worker);

 private:
  std::unique_ptr<Impl> impl_;
};

class Replay::Change {
 public:
  int64_t steps() const { return static_cast<int64_t>(steps_.size()); }

 private:
  friend class Replay;
  friend struct Replay::Impl;
  // Whose memory an operand is read from.
  enum class Source : uint8_t { kKept, kReplaced, kRerun };
  struct StepRun {
    size_t step = 0;
    std::vector<Source> inputs;
  };
  size_t to_ = 0;                // index of the tap that replaces
  std::vector<StepRun> steps_;   // in running order
  std::vector<Source> outputs_;  // one an output of the plan
};

}  // namespace intmill

#endif  // INTMILL_ENGINE_REPLAY_H
