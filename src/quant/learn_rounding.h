// Learning how to round weights: runs the float model on the user's data and keeps second moments
// of what its products will read in integers, never the data.
#ifndef INTMILL_QUANT_LEARN_ROUNDING_H
#define INTMILL_QUANT_LEARN_ROUNDING_H

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/hooks.h"
#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "quant/calibrate.h"
#include "quant/moments.h"
#include "quant/scheme.h"
#include "session/session.h"
#include "tensor/tensor.h"

namespace intmill {

class RoundingLearner {
 public:
  // `calibrator` has seen data of this graph and is copied. kState: it has not, the graph is
  // quantized already, or no layer is a product with static ranges.
  static Result<std::unique_ptr<RoundingLearner>> Create(std::shared_ptr<const Graph> graph,
                                                         const Calibrator& calibrator,
                                                         const SchemeTable& schemes,
                                                         SessionOptions options);
  ~RoundingLearner();

  // One batch, on the calling thread alone; several may call at once, and nothing shows it. A
  // failing call leaves the moments as they were before it.
  Status Feed(std::span<const Tensor> inputs);

  // What QuantizeGraph makes with the calibration and these moments.
  Result<Graph> Quantize(const Graph& graph, const SchemeTable& schemes, const Hooks& hooks) const;
  Table Summary() const;  // key, value: samples, layers, rows (of inputs, of all layers)

  struct Impl;
  explicit RoundingLearner(std::unique_ptr<Impl> impl);  // for Create

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_LEARN_ROUNDING_H
