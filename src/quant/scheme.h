// What is wanted of each layer: scheme, types, granularity, calibration; defaults and globs.
#ifndef INTMILL_QUANT_SCHEME_H
#define INTMILL_QUANT_SCHEME_H

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tensor/dtype.h"

namespace intmill {

// Not kDynamic: gcc 12 warns that it shadows the dimension of that name.
enum class Scheme {
  kStatic = 1,
  kDynamicRanges = 2,
  kWeightOnly = 3,
  kFp16 = 4,
  kBf16 = 5,
  kBf16Compute = 6,
};
// Which processors every sum must be exact on: those that add four products at once, or also those
// that saturate pairs of them.
enum class Target { kVnni = 1, kAny = 2 };
enum class Calibration { kMinMax = 1, kAverage = 2, kPercentile = 3, kEntropy = 4, kMse = 5 };

// Where a scale of weights comes from: the largest weight, or the least mean squared error.
enum class WeightRange { kMax = 1, kMse = 2 };
// Where the means of a product's inputs come from, by which its bias takes back what rounded
// weights shift: nowhere, the calibration, or the batch normalizations before it.
enum class BiasCorrection { kNone = 1, kData = 2, kBatchNorm = 3 };

struct LayerScheme {
  Scheme scheme = Scheme::kStatic;
  DType weight_dtype = DType::kS8;
  DType activation_dtype = DType::kU8;
  bool weight_symmetric = true;
  bool activation_symmetric = false;
  bool per_channel = true;
  Calibration calibration = Calibration::kPercentile;
  double percentile = 99.999;
  bool skip = false;
  Target target = Target::kVnni;
  WeightRange weight_range = WeightRange::kMax;
  BiasCorrection bias_correction = BiasCorrection::kData;
  // Of kWeightOnly.
  int64_t group_size = 32;  // weights with one scale; 0: one for each output channel
  bool gptq = false;
  double gptq_damping = 0.01;
  bool gptq_ordered = false;
};

// The pattern "" means every layer. A later rule wins, and any named rule wins over those for every
// layer.
class SchemeTable {
 public:
  void Add(std::string pattern, std::function<void(LayerScheme&)> change);
  LayerScheme For(std::string_view layer) const;
  // Patterns that match none of the layers: the caller's typing mistakes.
  std::vector<std::string> Unmatched(const std::vector<std::string>& layers) const;

 private:
  struct Rule {
    std::string pattern;
    std::function<void(LayerScheme&)> change;
  };
  std::vector<Rule> rules_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_SCHEME_H
