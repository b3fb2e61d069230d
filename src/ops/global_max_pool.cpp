// GlobalMaxPool: the largest element of each channel.
#include <limits>

#include "ops/common/pool.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) { return InferPool(context, PoolArea::kWhole); }

Status Reference(const ReferenceArgs& args) {
  const Tensor& x = args.in(0);
  return ForType<float, uint8_t, int8_t>(x.dtype(), [&]<typename T>(T) {
    const int64_t channels = args.out(0).elements();
    if (channels == 0) return Ok();
    const int64_t area = x.elements() / channels;
    for (int64_t c = 0; c < channels; ++c) {
      T best = std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity()
                                        : std::numeric_limits<T>::lowest();
      for (int64_t i = 0; i < area; ++i) best = std::max(best, x.data<T>()[c * area + i]);
      args.out(0).mutable_data<T>()[c] = best;
    }
    return Ok();
  });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  return LowerMaxPool(args, PoolArea::kWhole);
}

constexpr OpDef kOps[] = {{
    .name = "GlobalMaxPool",
    .layout = LayoutRule::kSpatial,
    .quant = QuantRule::kSameScale,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> GlobalMaxPoolOps() { return kOps; }

}  // namespace intmill::ops
