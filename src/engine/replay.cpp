// Replay: the memory of the kept run, where every value has its place, and one for each worker,
// where values share it over time as in an ordinary plan: reruns stay in the caches that way. A
// step of a rerun reads each operand from where it is new.
#include "engine/replay.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/memory.h"
#include "engine/plan_impl.h"

namespace intmill {
namespace {

// Values with memory of their own are told apart by where they lie.
using Spot = std::pair<Location::Kind, int64_t>;

Spot SpotOf(const Location& where) { return {where.kind, where.index}; }

bool IsMemory(const Location& where) {
  return where.kind == Location::Kind::kArena || where.kind == Location::Kind::kInput ||
         where.kind == Location::Kind::kOutput;
}

// What one run at a time writes to.
struct Memory {
  bool keeps = false;
  AlignedBytes arena;
  std::vector<Tensor> outputs;
  std::vector<std::unique_ptr<KernelState>> states;  // one a step
  std::vector<const void*> in;                       // operands of the step that runs now
  std::vector<void*> out;
};

Result<Memory> MakeMemory(const Plan& plan, bool keeps) {
  Memory memory;
  memory.keeps = keeps;
  ASSIGN_OR_RETURN(memory.arena,
                   AllocateAligned(keeps ? plan.arena_bytes() : plan.impl().reused_bytes));
  for (const Value& value : plan.outputs()) {
    ASSIGN_OR_RETURN(Tensor output, Tensor::Make(value.dtype, *value.shape));
    memory.outputs.push_back(std::move(output));
  }
  for (const Step& step : plan.impl().steps) {
    ASSIGN_OR_RETURN(std::unique_ptr<KernelState> state, step.kernel->MakeState());
    memory.states.push_back(std::move(state));
  }
  return memory;
}

}  // namespace

struct Replay::Impl {
  using Source = Change::Source;

  std::shared_ptr<const Plan> plan;
  std::vector<TapPoint> taps;
  std::map<std::string, size_t, std::less<>> tap_of;
  std::vector<const void*> inputs;
  Memory kept;
  std::vector<Memory> workers;
  std::vector<std::vector<Tensor>> results;  // of each worker's last rerun
  std::set<Spot> needed;                     // what outputs of the plan depend on
  std::vector<bool> is_needed;               // the same of steps

  const std::vector<Step>& steps() const { return plan->impl().steps; }

  void CollectTaps() {
    const auto add = [&](const std::vector<TapPoint>& points) {
      for (const TapPoint& point : points) {
        if (!IsMemory(point.location)) continue;
        tap_of.emplace(point.name, taps.size());
        taps.push_back(point);
      }
    };
    add(plan->impl().input_taps);
    for (const Step& step : steps()) add(step.taps);
  }

  void FindNeeded() {
    for (size_t i = 0; i < plan->outputs().size(); ++i)
      needed.insert({Location::Kind::kOutput, static_cast<int64_t>(i)});
    is_needed.assign(steps().size(), false);
    for (size_t s = steps().size(); s-- > 0;) {
      for (const Location& where : steps()[s].outputs)
        if (IsMemory(where) && needed.contains(SpotOf(where))) is_needed[s] = true;
      if (!is_needed[s]) continue;
      for (const Location& where : steps()[s].inputs)
        if (IsMemory(where)) needed.insert(SpotOf(where));
    }
  }

  void* Resolve(const Location& where, Memory& memory) const {
    const auto index = static_cast<size_t>(where.index);
    switch (where.kind) {
      case Location::Kind::kArena:
        return memory.arena.get() + (memory.keeps ? where.index : where.reused);
      case Location::Kind::kConstant:
        return const_cast<void*>(where.constant);
      case Location::Kind::kInput:
        return const_cast<void*>(inputs[index]);
      case Location::Kind::kOutput:
        return memory.outputs[index].mutable_data<void>();
      case Location::Kind::kNone:
        break;
    }
    return nullptr;
  }

  // `sources` is empty for the run that keeps everything.
  Status RunStep(size_t s, const std::vector<Source>& sources, const Location* replacement,
                 Memory& memory) {
    const Step& step = steps()[s];
    memory.in.clear();
    memory.out.clear();
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const Source source = sources.empty() ? Source::kRerun : sources[i];
      if (source == Source::kReplaced)
        memory.in.push_back(Resolve(*replacement, kept));
      else
        memory.in.push_back(Resolve(step.inputs[i], source == Source::kKept ? kept : memory));
    }
    for (const Location& where : step.outputs) memory.out.push_back(Resolve(where, memory));
    const int64_t scratch = memory.keeps ? step.scratch_offset : step.reused_scratch_offset;
    const Status status = step.kernel->Run({memory.in, memory.out, memory.arena.get() + scratch},
                                           memory.states[s].get());
    if (!status.ok()) return Status(status).At(Cat("layer '", step.layer, "'"));
    return Ok();
  }
};

Replay::Replay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Replay::~Replay() = default;

Result<std::unique_ptr<Replay>> Replay::Create(std::shared_ptr<const Plan> plan, int64_t workers) {
  auto impl = std::make_unique<Impl>();
  impl->plan = std::move(plan);
  impl->CollectTaps();
  impl->FindNeeded();
  ASSIGN_OR_RETURN(impl->kept, MakeMemory(*impl->plan, true));
  for (int64_t i = 0; i < workers; ++i) {
    ASSIGN_OR_RETURN(Memory memory, MakeMemory(*impl->plan, false));
    impl->results.push_back(memory.outputs);
    impl->workers.push_back(std::move(memory));
  }
  return std::make_unique<Replay>(std::move(impl));
}

Status Replay::Run(std::span<const void* const> inputs) {
  impl_->inputs.assign(inputs.begin(), inputs.end());
  for (size_t s = 0; s < impl_->steps().size(); ++s)
    TRY(impl_->RunStep(s, {}, nullptr, impl_->kept));
  return Ok();
}

std::optional<Replay::Value> Replay::Find(std::string_view name) const {
  const auto found = impl_->tap_of.find(name);
  if (found == impl_->tap_of.end()) return {};
  const TapPoint& tap = impl_->taps[found->second];
  const void* const data = impl_->Resolve(tap.location, impl_->kept);
  return Value{Tensor::View(tap.dtype, tap.physical_shape, data, nullptr), tap.layout};
}

int64_t Replay::steps() const {
  return std::count(impl_->is_needed.begin(), impl_->is_needed.end(), true);
}

int64_t Replay::worker_bytes() const { return impl_->plan->impl().reused_bytes; }

std::span<const Tensor> Replay::outputs() const { return impl_->kept.outputs; }

Result<std::unique_ptr<Replay::Change>> Replay::Prepare(std::string_view from,
                                                        std::string_view to) const {
  const auto a = impl_->tap_of.find(from);
  const auto b = impl_->tap_of.find(to);
  if (a == impl_->tap_of.end() || b == impl_->tap_of.end())
    return Error(Code::kUnsupported, "the plan does not compute '", from, "' and '", to, "'");
  const TapPoint& old = impl_->taps[a->second];
  const TapPoint& fresh = impl_->taps[b->second];
  if (old.layout != fresh.layout || old.physical_shape != fresh.physical_shape ||
      old.dtype != fresh.dtype)
    return Error(Code::kUnsupported, "'", from, "' and '", to, "' lie differently in memory");

  using Source = Change::Source;
  auto change = std::make_unique<Change>();
  change->to_ = b->second;
  std::map<Spot, Source> changed = {{SpotOf(old.location), Source::kReplaced}};
  const auto source_of = [&](const Location& where) {
    const auto found = IsMemory(where) ? changed.find(SpotOf(where)) : changed.end();
    return found == changed.end() ? Source::kKept : found->second;
  };
  for (size_t s = 0; s < impl_->steps().size(); ++s) {
    if (!impl_->is_needed[s]) continue;
    Change::StepRun run{s, {}};
    bool reads_change = false;
    for (const Location& where : impl_->steps()[s].inputs) {
      run.inputs.push_back(source_of(where));
      reads_change |= run.inputs.back() != Source::kKept;
    }
    if (!reads_change) continue;
    for (const Location& where : impl_->steps()[s].outputs)
      if (IsMemory(where)) changed[SpotOf(where)] = Source::kRerun;
    change->steps_.push_back(std::move(run));
  }
  for (size_t i = 0; i < impl_->plan->outputs().size(); ++i)
    change->outputs_.push_back(
        source_of({Location::Kind::kOutput, static_cast<int64_t>(i), nullptr}));
  return change;
}

Result<std::span<const Tensor>> Replay::Rerun(const Change& change, int64_t worker) {
  const auto w = static_cast<size_t>(worker);
  Memory& memory = impl_->workers[w];
  const TapPoint& to = impl_->taps[change.to_];
  for (const Change::StepRun& run : change.steps_)
    TRY(impl_->RunStep(run.step, run.inputs, &to.location, memory));
  std::vector<Tensor>& results = impl_->results[w];
  for (size_t i = 0; i < results.size(); ++i) {
    const intmill::Value& wanted = impl_->plan->outputs()[i];
    if (change.outputs_[i] == Change::Source::kReplaced)
      results[i] = Tensor::View(wanted.dtype, *wanted.shape,
                                impl_->Resolve(to.location, impl_->kept), nullptr);
    else
      results[i] =
          change.outputs_[i] == Change::Source::kKept ? impl_->kept.outputs[i] : memory.outputs[i];
  }
  return std::span<const Tensor>(results);
}

}  // namespace intmill
