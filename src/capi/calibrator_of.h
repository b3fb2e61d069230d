// The calibration that a caller hands over for a model.
#ifndef INTMILL_CAPI_CALIBRATOR_OF_H
#define INTMILL_CAPI_CALIBRATOR_OF_H

#include "base/status.h"
#include "capi/handles.h"

namespace intmill::capi {

// Null for NULL. kInvalidArgument: not a calibrating probe, or one of another model. What was
// loaded from a file knows its model by digest.
Result<const Calibrator*> CalibratorOf(const intmill_probe* p, const intmill_model* m);

// The rounding that a caller hands over instead; null for NULL and for probes of another kind.
Result<const RoundingLearner*> RoundingOf(const intmill_probe* p, const intmill_model* m);

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_CALIBRATOR_OF_H
