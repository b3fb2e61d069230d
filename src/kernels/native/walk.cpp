// Walking through dense output memory while operands follow by strides of their own.
#include "kernels/native/walk.h"

namespace intmill::native {

Walk::Walk(const std::vector<int64_t>& shape, const std::vector<std::vector<int64_t>>& strides) {
  for (size_t i = 0; i < shape.size(); ++i) {
    elements_ *= shape[i];
    if (shape[i] == 1) continue;
    Offsets here{};
    for (size_t k = 0; k < strides.size(); ++k) here[k] = strides[k][i];
    bool joins = dims_ > 0;
    for (size_t k = 0; k < strides.size() && joins; ++k)
      joins = strides_[static_cast<size_t>(dims_ - 1)][k] == here[k] * shape[i];
    if (!joins) {
      ++dims_;
      shape_[static_cast<size_t>(dims_ - 1)] = 1;
    }
    shape_[static_cast<size_t>(dims_ - 1)] *= shape[i];
    strides_[static_cast<size_t>(dims_ - 1)] = here;
  }
  if (dims_ == 0) {  // one element
    dims_ = 1;
    shape_[0] = 1;
  }
}

Walk::Offsets Walk::OffsetsOf(int64_t index) const {
  Offsets offsets{};
  for (int d = dims_ - 1; d >= 0 && index > 0; --d) {
    const auto i = static_cast<size_t>(d);
    const int64_t at = index % shape_[i];
    index /= shape_[i];
    for (size_t k = 0; k < offsets.size(); ++k) offsets[k] += at * strides_[i][k];
  }
  return offsets;
}

}  // namespace intmill::native
