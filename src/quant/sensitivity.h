// Sensitivity: what each layer alone loses in integers, or alone wins back in float.
#ifndef INTMILL_QUANT_SENSITIVITY_H
#define INTMILL_QUANT_SENSITIVITY_H

#include <cstdint>
#include <memory>
#include <span>

#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "quant/calibrate.h"
#include "quant/scheme.h"
#include "session/session.h"
#include "tensor/tensor.h"

namespace intmill {

struct SensitivityOptions {
  SessionOptions session;  // `threads` of them measure layers at the same time
  // false: one layer in integers, the rest in float. true: one in float, the rest in integers.
  bool reverse = false;
};

class Sensitivity {
 public:
  // `calibrator` may be null when no layer is static, and is asked during the call only.
  static Result<std::unique_ptr<Sensitivity>> Create(std::shared_ptr<const Graph> graph,
                                                     const Calibrator* calibrator,
                                                     const SchemeTable& schemes,
                                                     SensitivityOptions options);
  struct Impl;
  explicit Sensitivity(std::unique_ptr<Impl> impl);  // for Create
  ~Sensitivity();

  // Runs the whole model once, and for each layer only what depends on its result. A failing call,
  // one that was stopped included, leaves the figures as they were. targets as for a Verifier. The
  // figures depend on the data and its order, and not on the number of threads.
  Status Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets);

  // One row a layer, the one that costs most (reverse: wins most) first: layer, op, sqnr_db, cosine
  // (of the worst of the model's outputs against the float model), agreement, top1_change (nothing
  // without targets), layer_sqnr_db, layer_cosine (of its own result), min, max (of its input),
  // clipped (percent), cause.
  Table Layers() const;
  // key, value: samples, layers, steps, steps_whole (of a model run for each layer), reference_top1
  // (with targets), and of the model with all layers in integers (reverse) sqnr_db and agreement.
  Table Summary() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_SENSITIVITY_H
