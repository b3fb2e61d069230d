// C entries about sessions and bindings.
#include "session/session.h"

#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "format/session_file.h"
#include "intmill/intmill.h"

using namespace intmill;
using namespace intmill::capi;

intmill_binding::~intmill_binding() = default;

namespace {

// A handle for each output that the caller left to us, made before the run so that what was
// computed cannot be lost for want of memory.
class Outputs {
 public:
  Status Prepare(intmill_tensor* const* outputs, int64_t n) {
    TRY(CheckList(outputs, n, "outputs"));
    for (int64_t i = 0; i < n; ++i) {
      made_.push_back(outputs[i] == nullptr ? std::make_unique<intmill_tensor>() : nullptr);
      if (outputs[i] != nullptr) TRY(CheckHandle(outputs[i], Cat("outputs[", i, ']')));
      tensors_.push_back(outputs[i] == nullptr ? Tensor() : outputs[i]->value);
    }
    return Ok();
  }

  std::span<Tensor> tensors() { return tensors_; }

  void HandOver(intmill_tensor** outputs) {
    for (size_t i = 0; i < made_.size(); ++i) {
      if (made_[i] == nullptr) continue;
      made_[i]->Set(std::move(tensors_[i]));
      outputs[i] = made_[i].release();
    }
  }

 private:
  std::vector<std::unique_ptr<intmill_tensor>> made_;
  std::vector<Tensor> tensors_;
};

Result<Table> Report(const Session& session, intmill_report_kind kind) {
  if (kind == INTMILL_REPORT_MEMORY) return session.Memory();
  if (kind != INTMILL_REPORT_PROFILE)
    return Error(Code::kInvalidArgument, "report kind ", static_cast<int>(kind),
                 " is not one of a session");
  if (!session.profiles())
    return Error(Code::kState, "the session was created without INTMILL_OPT_PROFILE");
  return session.Profile();
}

Status CheckSide(intmill_side side) {
  if (side == INTMILL_INPUT || side == INTMILL_OUTPUT) return Ok();
  return Error(Code::kInvalidArgument, "side ", static_cast<int>(side), " is not known");
}

}  // namespace

intmill_status intmill_session_create(const intmill_model* m, const intmill_options* opts,
                                      intmill_session** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_session>> {
    TRY(CheckHandle(m, "m"));
    TRY(CheckOptions(opts));
    auto handle = std::make_unique<intmill_session>();
    SessionOptions options = ToSessionOptions(BagOf(opts));
    options.compiled = m->compiled;
    options.check_weights = m->check_weights;
    ASSIGN_OR_RETURN(handle->session, Session::Create(m->graph, std::move(options)));
    return handle;
  });
}

intmill_status intmill_session_run(const intmill_session* s, intmill_tensor* const* inputs,
                                   int64_t n_inputs, intmill_tensor** outputs, int64_t n_outputs) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(s, "s"));
    ASSIGN_OR_RETURN(const std::vector<Tensor> fed, ToTensors(inputs, n_inputs, "inputs"));
    Outputs computed;
    TRY(computed.Prepare(outputs, n_outputs));
    TRY(s->session->Run(fed, computed.tensors()));
    computed.HandOver(outputs);
    return Ok();
  });
}

intmill_status intmill_session_report(const intmill_session* s, intmill_report_kind kind,
                                      intmill_report** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_report>> {
    TRY(CheckHandle(s, "s"));
    return WrapReport(Report(*s->session, kind));
  });
}

intmill_status intmill_session_save(const intmill_session* s, const char* path) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(s, "s"));
    TRY(CheckPointer(path, "path"));
    ASSIGN_OR_RETURN(const CompiledSession compiled, s->session->Compiled());
    return WriteSession(s->session->graph(), compiled, path);
  });
}

void intmill_session_release(intmill_session* s) { Release(s); }

intmill_status intmill_binding_create(const intmill_session* s, intmill_binding** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_binding>> {
    TRY(CheckHandle(s, "s"));
    auto handle = std::make_unique<intmill_binding>();
    ASSIGN_OR_RETURN(handle->binding, Binding::Create(s->session));
    return handle;
  });
}

intmill_status intmill_binding_set(intmill_binding* b, intmill_side side, int64_t index,
                                   intmill_tensor* t) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(b, "b"));
    TRY(CheckSide(side));
    if (side == INTMILL_OUTPUT && t == nullptr) return b->binding->SetOutput(index, Tensor());
    TRY(CheckHandle(t, "t"));
    return side == INTMILL_INPUT ? b->binding->SetInput(index, t->value)
                                 : b->binding->SetOutput(index, t->value);
  });
}

intmill_status intmill_binding_get(const intmill_binding* b, intmill_side side, int64_t index,
                                   intmill_tensor** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_tensor>> {
    TRY(CheckHandle(b, "b"));
    TRY(CheckSide(side));
    return WrapTensor(side == INTMILL_INPUT ? b->binding->Input(index) : b->binding->Output(index));
  });
}

intmill_status intmill_binding_run(intmill_binding* b) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(b, "b"));
    return b->binding->Run();
  });
}

void intmill_binding_release(intmill_binding* b) { Release(b); }
