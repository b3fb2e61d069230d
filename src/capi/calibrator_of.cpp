// CalibratorOf, and the C entries that save, load and merge calibrations.
#include "capi/calibrator_of.h"

#include "capi/convert.h"
#include "capi/guard.h"
#include "intmill/intmill.h"
#include "ir/digest.h"
#include "quant/calibrate.h"
#include "quant/learn_rounding.h"
#include "quant/sensitivity.h"
#include "quant/verify.h"

using namespace intmill;
using namespace intmill::capi;

namespace {

Result<Calibrator*> Calibrating(const intmill_probe* p, const char* name) {
  TRY(CheckHandle(p, name));
  if (p->calibrator == nullptr)
    return Error(Code::kInvalidArgument, name, " is a probe of another kind");
  return p->calibrator.get();
}

}  // namespace

Result<const Calibrator*> intmill::capi::CalibratorOf(const intmill_probe* p,
                                                      const intmill_model* m) {
  if (p == nullptr) return nullptr;
  ASSIGN_OR_RETURN(const Calibrator* const calibrator, Calibrating(p, "calibration"));
  const bool is_loaded = p->origin == nullptr;
  if (is_loaded ? calibrator->model() != DigestOf(*m->graph) : p->origin != m->origin)
    return Error(Code::kInvalidArgument, "calibration is a probe of another model");
  return calibrator;
}

Result<const RoundingLearner*> intmill::capi::RoundingOf(const intmill_probe* p,
                                                         const intmill_model* m) {
  if (p == nullptr) return nullptr;
  TRY(CheckHandle(p, "calibration"));
  if (p->rounding == nullptr) return nullptr;
  if (p->origin != m->origin)
    return Error(Code::kInvalidArgument, "calibration is a probe of another model");
  return p->rounding.get();
}

intmill_status intmill_probe_save(const intmill_probe* p, const char* path,
                                  const intmill_options* opts) {
  return Guard([&]() -> Status {
    ASSIGN_OR_RETURN(const Calibrator* const calibrator, Calibrating(p, "p"));
    TRY(CheckPointer(path, "path"));
    TRY(CheckOptions(opts));
    TRY(ToHooks(BagOf(opts)).Progress("save", 0, 1));
    return WriteStatistics(calibrator->Statistics(), path);
  });
}

intmill_status intmill_probe_load(const char* path, const intmill_options* opts,
                                  intmill_probe** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_probe>> {
    TRY(CheckPointer(path, "path"));
    TRY(CheckOptions(opts));
    TRY(ToHooks(BagOf(opts)).Progress("load", 0, 1));
    ASSIGN_OR_RETURN(StatisticsSet set, ReadStatistics(path));
    auto probe = std::make_unique<intmill_probe>();
    probe->was_fed = set.samples > 0;
    ASSIGN_OR_RETURN(probe->calibrator,
                     Calibrator::FromStatistics(std::move(set), ToSchemes(BagOf(opts))));
    return probe;
  });
}

intmill_status intmill_probe_merge(intmill_probe* p, const intmill_probe* other) {
  return Guard([&]() -> Status {
    ASSIGN_OR_RETURN(Calibrator* const calibrator, Calibrating(p, "p"));
    ASSIGN_OR_RETURN(const Calibrator* const added, Calibrating(other, "other"));
    TRY(calibrator->Merge(added->Statistics()));
    if (other->was_fed) p->was_fed = true;
    return Ok();
  });
}
