// Bindings: one thread's buffers and run state, kept from run to run.
#include <algorithm>

#include "session/check_io.h"
#include "session/session.h"
#include "session/session_impl.h"

namespace intmill {

struct Binding::Impl {
  explicit Impl(std::shared_ptr<const Session> s)
      : session(std::move(s)),
        inputs(session->graph().inputs.size()),
        outputs(session->graph().outputs.size()),
        given(outputs.size()) {}
  ~Impl() { Release(); }

  void Release() {
    if (state) entry->GiveBack(std::move(state));
    entry.reset();
  }

  // The plan and the state for the shapes that the inputs have now.
  Status Prepare() {
    Session::Impl& owner = session->impl();
    for (size_t i = 0; i < inputs.size(); ++i)
      if (!inputs[i].valid()) return Error(Code::kState, "input ", i, " has not been set");
    TRY(owner.CheckInputs(inputs));
    ASSIGN_OR_RETURN(std::shared_ptr<PlanEntry> wanted, owner.plans.Get(inputs));
    if (wanted != entry) Release();
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Shape& shape = *wanted->plan()->outputs()[i].shape;
      if (!given[i] && outputs[i].valid() && outputs[i].shape() != shape) outputs[i] = {};
      TRY(owner.PrepareOutput(*wanted->plan(), i, outputs[i]));
    }
    TRY(CheckSeparate(session->graph(), inputs, outputs));
    if (!state) {
      ASSIGN_OR_RETURN(state, wanted->Take(owner.options.profile));
      entry = std::move(wanted);
    }
    prepared = true;
    return Ok();
  }

  std::shared_ptr<const Session> session;
  std::shared_ptr<PlanEntry> entry;
  std::unique_ptr<RunState> state;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::vector<bool> given;  // the caller's tensor: never replaced
  bool prepared = false;    // nothing changed since the last Prepare
};

namespace {

Status CheckIndex(int64_t index, size_t count, const char* side) {
  if (index >= 0 && index < static_cast<int64_t>(count)) return Ok();
  return Error(Code::kInvalidArgument, side, " ", index, ": the model has ", count);
}

}  // namespace

Binding::Binding(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Binding::~Binding() = default;

Result<std::unique_ptr<Binding>> Binding::Create(std::shared_ptr<const Session> session) {
  return std::make_unique<Binding>(std::make_unique<Impl>(std::move(session)));
}

Status Binding::SetInput(int64_t index, Tensor t) {
  TRY(CheckIndex(index, impl_->inputs.size(), "input"));
  const auto i = static_cast<size_t>(index);
  TRY(CheckInputFits(impl_->session->graph(), i, t));
  impl_->inputs[i] = std::move(t);
  impl_->prepared = false;
  return Ok();
}

Status Binding::SetOutput(int64_t index, Tensor t) {
  TRY(CheckIndex(index, impl_->outputs.size(), "output"));
  const auto i = static_cast<size_t>(index);
  if (t.valid()) TRY(CheckOutputFits(impl_->session->graph(), i, t));
  impl_->given[i] = t.valid();
  impl_->outputs[i] = std::move(t);
  impl_->prepared = false;
  return Ok();
}

Result<Tensor> Binding::Input(int64_t index) const {
  TRY(CheckIndex(index, impl_->inputs.size(), "input"));
  const Tensor& t = impl_->inputs[static_cast<size_t>(index)];
  if (!t.valid()) return Error(Code::kState, "input ", index, " has not been set");
  return t;
}

Result<Tensor> Binding::Output(int64_t index) const {
  TRY(CheckIndex(index, impl_->outputs.size(), "output"));
  const Tensor& t = impl_->outputs[static_cast<size_t>(index)];
  if (!t.valid()) return Error(Code::kState, "output ", index, " is made by the first run");
  return t;
}

Status Binding::Run() {
  // Where shapes depend on values, the caller may have written new ones.
  if (!impl_->prepared || impl_->session->impl().plans.reads_values()) TRY(impl_->Prepare());
  const Session::Impl& owner = impl_->session->impl();
  const Status status = owner.RunOn(*impl_->state, impl_->inputs, impl_->outputs, {});
  if (owner.options.profile) impl_->entry->CollectTimes(*impl_->state);
  return status;
}

}  // namespace intmill
