// Where the elements of an operand lie, whatever its layout.
#include "ops/common/layout.h"

#include <algorithm>
#include <numeric>

namespace intmill::ops {

std::vector<int64_t> MemoryOrder(int64_t rank, Layout layout) {
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), int64_t{0});
  // channels-last: N, D1.., C
  if (layout == Layout::kChannelsLast && rank > 2)
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

Shape PhysicalStrides(const Shape& shape, Layout layout) {
  Shape strides(shape.size());
  int64_t stride = 1;
  const std::vector<int64_t> order = MemoryOrder(static_cast<int64_t>(shape.size()), layout);
  for (size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<size_t>(order[i]);
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

Shape BroadcastStrides(const Shape& shape, const Shape& strides, const Shape& broadcast) {
  Shape out(broadcast.size(), 0);
  const size_t missing = broadcast.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    out[missing + i] = shape[i] == 1 && broadcast[missing + i] != 1 ? 0 : strides[i];
  return out;
}

Shape Permuted(const Shape& values, const std::vector<int64_t>& order) {
  Shape out;
  for (const int64_t axis : order) out.push_back(values[static_cast<size_t>(axis)]);
  return out;
}

}  // namespace intmill::ops
