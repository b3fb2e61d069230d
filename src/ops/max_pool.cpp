// MaxPool: the largest element of each window; on request also where it was.
#include <limits>

#include "ops/common/pool.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) { return InferPool(context, PoolArea::kWindow); }

// The place of an element in its tensor; storage order 1 counts each channel with its first spatial
// dimension fastest.
int64_t Place(const Shape& x, int64_t start, int64_t offset, bool column_major) {
  if (!column_major) return start + offset;
  int64_t place = 0;
  int64_t stride = 1;
  for (size_t d = 2; d < x.size(); ++d) stride *= x[d];
  for (size_t d = x.size(); d-- > 2;) {
    stride /= x[d];
    place += offset % x[d] * stride;
    offset /= x[d];
  }
  return start + place;
}

template <typename T>
void Compute(const ReferenceArgs& args, const Window& window, bool column_major) {
  const Tensor& x = args.in(0);
  const T* values = x.data<T>();
  T* y = args.out(0).mutable_data<T>();
  const bool has_indices = args.outputs.size() > 1 && args.out(1).valid();
  int64_t* indices = has_indices ? args.out(1).mutable_data<int64_t>() : nullptr;
  const T lowest = std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity()
                                            : std::numeric_limits<T>::lowest();
  ForPoolWindows(x.shape(), window,
                 [&](int64_t out, int64_t start, const std::vector<int64_t>& offsets, int64_t) {
                   T best = lowest;
                   int64_t at = offsets.empty() ? 0 : offsets[0];
                   for (const int64_t offset : offsets) {
                     if (!(values[start + offset] > best)) continue;
                     best = values[start + offset];
                     at = offset;
                   }
                   y[out] = best;
                   if (has_indices) indices[out] = Place(x.shape(), start, at, column_major);
                 });
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const Window window,
                   PoolWindow(args.node.attrs, args.in(0).shape(), PoolArea::kWindow));
  ASSIGN_OR_RETURN(const int64_t storage_order, args.node.attrs.Int("storage_order", 0));
  return ForType<float, uint8_t, int8_t>(args.in(0).dtype(), [&]<typename T>(T) {
    Compute<T>(args, window, storage_order != 0);
    return Ok();
  });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  return LowerMaxPool(args, PoolArea::kWindow);
}

constexpr OpDef kOps[] = {{
    .name = "MaxPool",
    .max_outputs = 2,
    .layout = LayoutRule::kSpatial,
    .quant = QuantRule::kSameScale,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> MaxPoolOps() { return kOps; }

}  // namespace intmill::ops
