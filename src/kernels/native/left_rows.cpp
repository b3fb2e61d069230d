#include "kernels/native/left_rows.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"

namespace intmill::native {
namespace {

// In bytes.
std::vector<int64_t> OffsetsOf(const MatMul& m, int64_t rows) {
  std::vector<int64_t> offsets;
  std::vector<int64_t> at(m.a.size() - 1);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t offset = 0;
    for (size_t d = 0; d < at.size(); ++d) offset += at[d] * m.a_strides[d];
    offsets.push_back(offset);
    for (size_t d = at.size(); d-- > 0 && ++at[d] == m.a[d];) at[d] = 0;
  }
  return offsets;
}

class GatheredRows : public LeftRows {
 public:
  GatheredRows(const MatMul& m, RowLayout layout)
      : LeftRows(std::move(layout)), offsets_(OffsetsOf(m, this->layout().rows)) {}

  int64_t scratch_bytes() const override { return layout().rows * layout().step; }

  const uint8_t* Prepare(const uint8_t* a, std::byte* scratch) const override {
    auto* gathered = reinterpret_cast<uint8_t*>(scratch);
    const int64_t depth = layout().step;
    const int64_t grain = std::max<int64_t>(1, kCopyGrain / depth);
    ParallelFor(layout().rows, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        std::memcpy(gathered + i * depth, a + offsets_[static_cast<size_t>(i)],
                    static_cast<size_t>(depth));
    });
    return gathered;
  }

 private:
  const std::vector<int64_t> offsets_;
};

}  // namespace

std::unique_ptr<LeftRows> RowsOfMatMul(const MatMul& m) {
  RowLayout layout = {.rows = NumElements(m.out) / m.columns(), .step = m.depth()};
  if (m.a_strides.empty()) return std::make_unique<LeftRows>(std::move(layout));
  return std::make_unique<GatheredRows>(m, std::move(layout));
}

}  // namespace intmill::native
