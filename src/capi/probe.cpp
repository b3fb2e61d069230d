// C entries about probes: calibration, verification, sensitivity and certificates.
#include "capi/calibrator_of.h"
#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "intmill/intmill.h"
#include "quant/calibrate.h"
#include "quant/certify.h"
#include "quant/learn_rounding.h"
#include "quant/sensitivity.h"
#include "quant/verify.h"

using namespace intmill;
using namespace intmill::capi;

intmill_probe::intmill_probe() = default;
intmill_probe::~intmill_probe() = default;

namespace {

using ProbeHandle = Result<std::unique_ptr<intmill_probe>>;

Status Feed(intmill_probe& p, std::span<const Tensor> inputs, std::span<const Tensor> targets) {
  if (p.verifier != nullptr) return p.verifier->Feed(inputs, targets);
  if (p.sensitivity != nullptr) return p.sensitivity->Feed(inputs, targets);
  if (p.certifier != nullptr) return p.certifier->Feed(inputs, targets);
  if (p.replay != nullptr) return p.replay->Feed(inputs, targets);
  if (p.rounding != nullptr && targets.empty()) return p.rounding->Feed(inputs);
  if (!targets.empty())
    return Error(Code::kInvalidArgument,
                 "targets are for verifying and sensitivity probes, this one is another");
  return p.calibrator->Feed(inputs);
}

// What a sort of probe is for, in words, and its tables.
struct Kinds {
  const char* does;
  intmill_report_kind own;
  bool has_summary;
};

Kinds KindsOf(const intmill_probe& p) {
  if (p.verifier != nullptr) return {"verifies", INTMILL_REPORT_OUTPUTS, true};
  if (p.sensitivity != nullptr) return {"ranks layers", INTMILL_REPORT_SENSITIVITY, true};
  if (p.certifier != nullptr) return {"certifies", INTMILL_REPORT_OUTPUTS, true};
  if (p.replay != nullptr) return {"replays a certificate", INTMILL_REPORT_REPLAY, false};
  if (p.rounding != nullptr) return {"learns rounding", INTMILL_REPORT_SUMMARY, true};
  return {"calibrates", INTMILL_REPORT_RANGES, false};
}

Result<Table> Report(const intmill_probe& p, intmill_report_kind kind) {
  const Kinds kinds = KindsOf(p);
  const bool sums_up = kind == INTMILL_REPORT_SUMMARY && kinds.has_summary;
  if (p.calibrator != nullptr && kind == INTMILL_REPORT_HISTOGRAMS && p.was_fed)
    return p.calibrator->Histograms();
  if (!sums_up && kind != kinds.own)
    return Error(Code::kInvalidArgument, "report kind ", static_cast<int>(kind),
                 " is not one of a probe that ", kinds.does);
  if (!p.was_fed) return Error(Code::kState, "the probe was not fed yet");
  if (p.sensitivity != nullptr) return sums_up ? p.sensitivity->Summary() : p.sensitivity->Layers();
  if (p.rounding != nullptr) return p.rounding->Summary();
  if (p.calibrator != nullptr) return p.calibrator->Ranges();
  if (p.replay != nullptr) return p.replay->Rows();
  if (p.certifier != nullptr) return sums_up ? p.certifier->Summary() : p.certifier->Outputs();
  return sums_up ? p.verifier->Summary() : p.verifier->Outputs();
}

}  // namespace

intmill_status intmill_probe_calibrate(const intmill_model* m, const intmill_options* opts,
                                       intmill_probe** out) {
  return Create(out, [&]() -> ProbeHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    const OptionBag& bag = BagOf(opts);
    auto probe = std::make_unique<intmill_probe>();
    probe->origin = m->origin;
    ASSIGN_OR_RETURN(probe->calibrator,
                     Calibrator::Create(m->graph, ToSchemes(bag), ToSessionOptions(bag)));
    return probe;
  });
}

intmill_status intmill_probe_sensitivity(const intmill_model* m, const intmill_probe* calibration,
                                         const intmill_options* opts, intmill_probe** out) {
  return Create(out, [&]() -> ProbeHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    ASSIGN_OR_RETURN(const Calibrator* const calibrator, CalibratorOf(calibration, m));
    const OptionBag& bag = BagOf(opts);
    auto probe = std::make_unique<intmill_probe>();
    ASSIGN_OR_RETURN(probe->sensitivity,
                     Sensitivity::Create(m->graph, calibrator, ToSchemes(bag),
                                         {.session = ToSessionOptions(bag),
                                          .reverse = bag.Integer(INTMILL_OPT_REVERSE) != 0}));
    return probe;
  });
}

intmill_status intmill_probe_rounding(const intmill_model* m, const intmill_probe* calibration,
                                      const intmill_options* opts, intmill_probe** out) {
  return Create(out, [&]() -> ProbeHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    TRY(CheckPointer(calibration, "calibration"));
    ASSIGN_OR_RETURN(const Calibrator* const calibrator, CalibratorOf(calibration, m));
    const OptionBag& bag = BagOf(opts);
    auto probe = std::make_unique<intmill_probe>();
    probe->origin = m->origin;
    ASSIGN_OR_RETURN(probe->rounding, RoundingLearner::Create(m->graph, *calibrator, ToSchemes(bag),
                                                              ToSessionOptions(bag)));
    return probe;
  });
}

intmill_status intmill_probe_verify(const intmill_model* reference, const intmill_model* candidate,
                                    const intmill_options* opts, intmill_probe** out) {
  return Create(out, [&]() -> ProbeHandle {
    TRY(CheckModel(reference, "reference"));
    TRY(CheckModel(candidate, "candidate"));
    TRY(CheckOptions(opts));
    auto probe = std::make_unique<intmill_probe>();
    ASSIGN_OR_RETURN(probe->verifier, Verifier::Create(reference->graph, candidate->graph,
                                                       ToSessionOptions(BagOf(opts))));
    return probe;
  });
}

intmill_status intmill_probe_certify(const intmill_model* reference, const intmill_model* candidate,
                                     const intmill_options* opts, intmill_probe** out) {
  return Create(out, [&]() -> ProbeHandle {
    TRY(CheckModel(reference, "reference"));
    TRY(CheckModel(candidate, "candidate"));
    TRY(CheckOptions(opts));
    auto probe = std::make_unique<intmill_probe>();
    ASSIGN_OR_RETURN(probe->certifier, Certifier::Create(reference->graph, candidate->graph,
                                                         ToSessionOptions(BagOf(opts))));
    return probe;
  });
}

intmill_status intmill_probe_replay(const intmill_model* m, const intmill_options* opts,
                                    intmill_probe** out) {
  return Create(out, [&]() -> ProbeHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    auto probe = std::make_unique<intmill_probe>();
    ASSIGN_OR_RETURN(probe->replay,
                     CertificateReplay::Create(m->graph, ToSessionOptions(BagOf(opts))));
    return probe;
  });
}

intmill_status intmill_probe_feed(intmill_probe* p, intmill_tensor* const* inputs, int64_t n_inputs,
                                  intmill_tensor* const* targets, int64_t n_targets) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(p, "p"));
    ASSIGN_OR_RETURN(const std::vector<Tensor> fed, ToTensors(inputs, n_inputs, "inputs"));
    ASSIGN_OR_RETURN(const std::vector<Tensor> wanted, ToTensors(targets, n_targets, "targets"));
    TRY(Feed(*p, fed, wanted));
    p->was_fed = true;
    return Ok();
  });
}

intmill_status intmill_probe_report(const intmill_probe* p, intmill_report_kind kind,
                                    intmill_report** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_report>> {
    TRY(CheckHandle(p, "p"));
    return WrapReport(Report(*p, kind));
  });
}

void intmill_probe_release(intmill_probe* p) { Release(p); }
