// Running a plan: a walk over steps whose operands are pointers bound in advance.
#include <algorithm>
#include <chrono>

#include "base/parallel.h"
#include "engine/plan_impl.h"

namespace intmill {
namespace {

// Behind more steps what was asked for would be gone again.
constexpr size_t kStepsAhead = 2;

double NowMicroseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

}  // namespace

struct RunState::Impl {
  // A step's operand pointers and what its kernel keeps for this run state.
  struct Bound {
    std::vector<const void*> inputs;
    std::vector<void*> outputs;
    std::byte* scratch = nullptr;
    std::span<const std::byte> ahead;
    std::unique_ptr<KernelState> state;
  };
  // An operand that lies in the caller's memory and so changes from run to run.
  struct Patch {
    size_t step;
    size_t operand;
    bool operand_is_input;
    bool memory_is_input;
    size_t index;
  };

  // Steps whose loops a team of threads may run, or steps that bring their own threads.
  struct Stretch {
    size_t first;
    size_t end;
    bool has_team;
  };

  std::shared_ptr<const Plan> plan;
  AlignedBytes arena;
  std::vector<Bound> bound;
  std::vector<Patch> patches;
  std::vector<Stretch> stretches;
  std::vector<StepTime> times;
  bool profile = false;

  void* Resolve(const Location& where) const {
    switch (where.kind) {
      case Location::Kind::kArena:
        return arena.get() + where.index;
      case Location::Kind::kConstant:
        return const_cast<void*>(where.constant);
      default:
        return nullptr;
    }
  }

  Status Bind() {
    const std::vector<Step>& steps = plan->impl().steps;
    bound.resize(steps.size());
    times.resize(steps.size());
    for (size_t s = 0; s < steps.size(); ++s) {
      Bound& b = bound[s];
      for (size_t i = 0; i < steps[s].inputs.size(); ++i) {
        b.inputs.push_back(Resolve(steps[s].inputs[i]));
        AddPatch(s, i, true, steps[s].inputs[i]);
      }
      for (size_t i = 0; i < steps[s].outputs.size(); ++i) {
        b.outputs.push_back(Resolve(steps[s].outputs[i]));
        AddPatch(s, i, false, steps[s].outputs[i]);
      }
      b.scratch = arena.get() + steps[s].scratch_offset;
      for (size_t i = s + 1; b.ahead.empty() && i < steps.size() && i <= s + kStepsAhead; ++i)
        b.ahead = steps[i].kernel->first_read();
      ASSIGN_OR_RETURN(b.state, steps[s].kernel->MakeState());
    }
    return Ok();
  }

  void Divide() {
    const std::vector<Step>& steps = plan->impl().steps;
    for (size_t s = 0; s < steps.size(); ++s) {
      const bool fits_team = !steps[s].kernel->starts_regions();
      if (stretches.empty() || stretches.back().has_team != fits_team)
        stretches.push_back({s, s, fits_team});
      stretches.back().end = s + 1;
    }
    for (Stretch& stretch : stretches) stretch.has_team &= stretch.end - stretch.first > 1;
  }

  void AddPatch(size_t step, size_t operand, bool operand_is_input, const Location& where) {
    const bool is_input = where.kind == Location::Kind::kInput;
    if (is_input || where.kind == Location::Kind::kOutput)
      patches.push_back(
          {step, operand, operand_is_input, is_input, static_cast<size_t>(where.index)});
  }

  void PointAtCallerMemory(std::span<const void* const> inputs, std::span<void* const> outputs) {
    for (const Patch& p : patches) {
      void* memory = p.memory_is_input ? const_cast<void*>(inputs[p.index]) : outputs[p.index];
      if (p.operand_is_input)
        bound[p.step].inputs[p.operand] = memory;
      else
        bound[p.step].outputs[p.operand] = memory;
    }
  }

  Status RunStep(size_t s, TileUse* tiles) {
    const Step& step = plan->impl().steps[s];
    const Bound& b = bound[s];
    const double start = profile ? NowMicroseconds() : 0;
    const Status status =
        step.kernel->Run({b.inputs, b.outputs, b.scratch, b.ahead, tiles}, b.state.get());
    if (!status.ok()) return Status(status).At(Cat("layer '", step.layer, "'"));
    if (profile) {
      ++times[s].calls;
      times[s].microseconds += NowMicroseconds() - start;
    }
    return Ok();
  }

  // A tap is the caller's code: it finds no tiles in use and its own threads free.
  Status RunTapped(std::span<const void* const> inputs, std::span<void* const> outputs,
                   const Tap& tap) {
    TRY(CallTap(tap, plan->impl().input_taps, inputs, outputs));
    for (size_t s = 0; s < bound.size(); ++s) {
      TRY(RunStep(s, nullptr));
      TRY(CallTap(tap, plan->impl().steps[s].taps, inputs, outputs));
    }
    return Ok();
  }

  Status CallTap(const Tap& tap, const std::vector<TapPoint>& points,
                 std::span<const void* const> inputs, std::span<void* const> outputs) const {
    for (const TapPoint& point : points) {
      const auto index = static_cast<size_t>(point.location.index);
      const void* data = Resolve(point.location);
      if (point.location.kind == Location::Kind::kInput) data = inputs[index];
      if (point.location.kind == Location::Kind::kOutput) data = outputs[index];
      TRY(tap(point.name, Tensor::View(point.dtype, point.physical_shape, data, nullptr),
              point.layout));
    }
    return Ok();
  }
};

Result<std::unique_ptr<RunState>> RunState::Create(std::shared_ptr<const Plan> plan, bool profile) {
  auto impl = std::make_unique<Impl>();
  ASSIGN_OR_RETURN(impl->arena, AllocateAligned(plan->arena_bytes()));
  impl->plan = std::move(plan);
  impl->profile = profile;
  TRY(impl->Bind());
  impl->Divide();
  return std::make_unique<RunState>(std::move(impl));
}

RunState::RunState(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunState::~RunState() = default;

Status RunState::Run(std::span<const void* const> inputs, std::span<void* const> outputs,
                     const Tap& tap) {
  impl_->PointAtCallerMemory(inputs, outputs);
  if (tap) return impl_->RunTapped(inputs, outputs, tap);
  TileUse tiles;
  Status status;
  for (const Impl::Stretch& stretch : impl_->stretches) {
    const auto run = [&] {
      for (size_t s = stretch.first; s < stretch.end && status.ok(); ++s)
        status = impl_->RunStep(s, &tiles);
    };
    if (stretch.has_team)
      WithTeam([&] {
        run();
        if (&stretch == &impl_->stretches.back()) tiles.Release();
      });
    else
      run();
    TRY(status);
  }
  return Ok();
}

std::span<const RunState::StepTime> RunState::times() const { return impl_->times; }
void RunState::ClearTimes() { std::fill(impl_->times.begin(), impl_->times.end(), StepTime{}); }
const Plan& RunState::plan() const { return *impl_->plan; }

}  // namespace intmill
