// Walking through dense output memory while operands follow by strides of their own.
#ifndef INTMILL_KERNELS_NATIVE_WALK_H
#define INTMILL_KERNELS_NATIVE_WALK_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace intmill::native {

// Up to three operands of an elementwise operator. `shape` is in the order of the output's memory,
// slowest first; strides are in elements, 0 where the operand is stretched.
class Walk {
 public:
  static constexpr int kMaxDims = 12;
  static constexpr int kMaxOperands = 3;
  using Offsets = std::array<int64_t, kMaxOperands>;

  // Neighbouring dimensions that all operands pass through in one stride become one.
  Walk(const std::vector<int64_t>& shape, const std::vector<std::vector<int64_t>>& strides);

  int64_t elements() const { return elements_; }
  // Strides of the operands within a row.
  const Offsets& row_strides() const { return strides_[static_cast<size_t>(dims_ - 1)]; }

  // Calls row(offsets of the operands, first output index, count) for the output elements
  // [begin, end) in order.
  template <typename Row>
  void Rows(int64_t begin, int64_t end, Row&& row) const {
    const int64_t row_length = shape_[static_cast<size_t>(dims_ - 1)];
    while (begin < end) {
      const int64_t count = std::min(row_length - begin % row_length, end - begin);
      row(OffsetsOf(begin), begin, count);
      begin += count;
    }
  }

 private:
  Offsets OffsetsOf(int64_t index) const;

  int dims_ = 0;
  int64_t elements_ = 1;
  std::array<int64_t, kMaxDims> shape_{};
  std::array<Offsets, kMaxDims> strides_{};
};

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_WALK_H
