// Calibration: runs the FP32 model on the user's data and keeps statistics, never the data.
#ifndef INTMILL_QUANT_CALIBRATE_H
#define INTMILL_QUANT_CALIBRATE_H

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "quant/input_products.h"
#include "quant/scheme.h"
#include "quant/statistics_set.h"
#include "session/session.h"
#include "tensor/tensor.h"

namespace intmill {

// Options of a session whose taps see every value of a graph by its name, and the same numbers
// wherever it runs.
void KeepValues(SessionOptions* options);

class Calibrator {
 public:
  // Observes every activation that quantization under `schemes` may need.
  static Result<std::unique_ptr<Calibrator>> Create(std::shared_ptr<const Graph> graph,
                                                    SchemeTable schemes, SessionOptions options);
  // What others saw: to merge, to save and to quantize with, but not to feed.
  static Result<std::unique_ptr<Calibrator>> FromStatistics(StatisticsSet set, SchemeTable schemes);
  ~Calibrator();

  // One batch, on the calling thread alone; several may call at once, and nothing shows it. A
  // failing call leaves the statistics as they were before it.
  Status Feed(std::span<const Tensor> inputs);

  int64_t samples() const;  // sum of first dimensions
  // Statistics of a value by name; null when it was not observed or no batch was fed.
  const class ValueStatistics* Find(std::string_view value_name) const;
  // Of the inputs of layers that GPTQ rounds; null for others, and when no batch was fed.
  const InputProducts* FindProductsOf(std::string_view value_name) const;
  Table Ranges() const;      // tensor, min, max, scale, zero_point, samples, nonfinite
  Table Histograms() const;  // tensor, begin, end, count: about 64 rows a tensor, those with values
  // A copy of everything seen; also of a calibration that was never fed.
  StatisticsSet Statistics() const;
  // Adds what others saw. kInvalidArgument, and nothing changes, when that is of another model.
  Status Merge(const StatisticsSet& other);
  std::string model() const;   // DigestOf the float graph
  const Graph& graph() const;  // not when made from statistics

  struct Impl;
  explicit Calibrator(std::unique_ptr<Impl> impl);  // for Create

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_CALIBRATE_H
