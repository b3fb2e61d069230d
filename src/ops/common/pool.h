// Pools: what the windowed and the global ones share.
#ifndef INTMILL_OPS_COMMON_POOL_H
#define INTMILL_OPS_COMMON_POOL_H

#include <functional>

#include "ir/op.h"
#include "kernels/native/pool.h"
#include "ops/common/window.h"

namespace intmill::ops {

// The node's window, or for global pools the whole image.
enum class PoolArea { kWindow, kWhole };
Result<Window> PoolWindow(const Attributes& attrs, const Shape& x, PoolArea area);

Status InferPool(InferContext& context, PoolArea area);

// Calls fn(output index, first element of the channel in x, offsets within the channel that the
// window covers, how many elements count with padding) for every output element in order.
using PoolElement = std::function<void(int64_t out, int64_t channel_start,
                                       const std::vector<int64_t>& offsets, int64_t counted)>;
void ForPoolWindows(const Shape& x, const Window& window, const PoolElement& fn);

// Averages in double; `count_padding` as in AveragePool.
Status AverageReference(const ReferenceArgs& args, PoolArea area, bool count_padding);

Result<std::unique_ptr<Kernel>> LowerMaxPool(const LowerArgs& args, PoolArea area);
Result<std::unique_ptr<Kernel>> LowerAveragePool(const LowerArgs& args, PoolArea area,
                                                 bool count_padding);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_POOL_H
