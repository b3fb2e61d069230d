// The precisions that a layer of a mixed model can have.
#ifndef INTMILL_CLI_PRECISIONS_H
#define INTMILL_CLI_PRECISIONS_H

#include <iterator>

#include <intmill/intmill.hpp>

namespace intmill::cli {

// Where it is known from what a layer loses in a precision.
enum class NoiseFrom {
  kProbe,  // a sensitivity probe, each layer alone
  kWhole,  // a model that has it everywhere: it loses little, and layers get equal shares of it
  kNone,   // it loses nothing
};

// Another precision is another row.
struct Precision {
  const char* name;
  NoiseFrom noise;
  bool computes_as_fp32;  // so it takes as long: what two clocks say of it is chance
  intmill_opt key;        // set for a layer to have it; 0: nothing is to be set
  int64_t value;
  const char* scheme;  // as a quantized model tells of a layer that has it; "": whatever it tells
};

// BF16 storage is not among them: as many bytes and as fast as FP16, with three bits fewer.
// Computing in BF16 is: its time tells where the processor cannot. Where weights are too large for
// FP16 the layer stays in FP32.
inline constexpr Precision kPrecisions[] = {
    {"INT8", NoiseFrom::kProbe, false, static_cast<intmill_opt>(0), 0, ""},
    {"INT8 weights", NoiseFrom::kWhole, false, INTMILL_OPT_SCHEME, INTMILL_SCHEME_WEIGHT_ONLY,
     "weight_only"},
    {"BF16", NoiseFrom::kWhole, false, INTMILL_OPT_SCHEME, INTMILL_SCHEME_BF16_COMPUTE,
     "bf16_compute"},
    {"FP16 weights", NoiseFrom::kWhole, true, INTMILL_OPT_SCHEME, INTMILL_SCHEME_FP16, "fp16"},
    {"FP32", NoiseFrom::kNone, true, INTMILL_OPT_SKIP, 1, ""},
};
inline constexpr size_t kPrecisionCount = std::size(kPrecisions);
inline constexpr size_t kIntegers = 0;
inline constexpr size_t kBf16 = 2;
inline constexpr size_t kHalves = 3;
inline constexpr size_t kExact = kPrecisionCount - 1;

// `layer` may be null: for all of them.
inline void Apply(const Precision& precision, const char* layer, Options& options) {
  if (precision.key != 0) options.Set(precision.key, precision.value, layer);
}

}  // namespace intmill::cli

#endif  // INTMILL_CLI_PRECISIONS_H
