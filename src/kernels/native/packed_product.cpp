#include "kernels/native/packed_product.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "kernels/native/round_up.h"
#include "kernels/packing_scope.h"

namespace intmill::native {
namespace {

constexpr int64_t kManyPanels = 6;

// Sums of all blocks for panels of this width: the last block of a chunk has as many rows as the
// others, some of them for the second time.
int64_t SumsWith(int64_t all_columns, int64_t chunk_rows, int64_t width) {
  const auto sums = [&](int64_t columns) {
    const int64_t registers = (columns + kProductLanes - 1) / kProductLanes;
    const int64_t block = ProductRowsFor(registers);
    return (chunk_rows + block - 1) / block * block * registers;
  };
  const int64_t last = all_columns % width;
  return all_columns / width * sums(width) + (last == 0 ? 0 : sums(last));
}

// Of tiles all panels are full.
int64_t PanelWidth(int64_t columns, int64_t chunk_rows, bool has_tiles) {
  constexpr int64_t kNarrow = kProductColumns - kProductLanes;
  const bool is_large = columns >= kManyPanels * kProductColumns;
  return !has_tiles && is_large &&
                 SumsWith(columns, chunk_rows, kNarrow) <
                     SumsWith(columns, chunk_rows, kProductColumns)
             ? kNarrow
             : kProductColumns;
}

}  // namespace

Result<PackedProduct> PackedProduct::Pack(const MatMul& m, const Products& products,
                                          int64_t chunk_rows, int64_t part_depth,
                                          const WeightRows& weight_rows) {
  PackedProduct p;
  p.depth_ = m.depth();
  p.columns_ = m.columns();
  p.width_ = PanelWidth(p.columns_, chunk_rows, products.has_tiles);
  p.step_ = TileStep(part_depth);
  ASSIGN_OR_RETURN(p.memory_, PackOnce(p.bytes(), [&](std::byte* memory) {
                     ParallelFor(p.count(), 1, [&](int64_t begin, int64_t end) {
                       for (int64_t i = begin; i < end; ++i)
                         p.PackPanel(m, i, *products.packing, weight_rows, memory);
                     });
                     return Ok();
                   }));
  return p;
}

ProductPanel PackedProduct::Panel(int64_t i) const {
  const std::byte* at = memory_.get() + Offset(i);
  const std::byte* constants = at + Padded(i) * depth_;
  return {.weights = reinterpret_cast<const uint8_t*>(at),
          .start = reinterpret_cast<const int32_t*>(constants),
          .scales = reinterpret_cast<const float*>(constants + 4 * Padded(i)),
          .bias = reinterpret_cast<const float*>(constants + 8 * Padded(i)),
          .depth = depth_,
          .columns = ColumnsOf(i),
          .step = step_,
          .next = nullptr,
          .next_bytes = 0};
}

// All panels but the last are full.
int64_t PackedProduct::Offset(int64_t i) const {
  const int64_t columns = i < count() || i == 0 ? i * width_ : (i - 1) * width_ + Padded(i - 1);
  return columns * (depth_ + 12);
}

int64_t PackedProduct::ColumnsOf(int64_t i) const {
  return std::min(width_, columns_ - i * width_);
}

int64_t PackedProduct::Padded(int64_t i) const { return RoundUp(ColumnsOf(i), kProductLanes); }

// Adding -0.0 changes nothing, not even the sign of a zero: an absent bias.
void PackedProduct::PackPanel(const MatMul& m, int64_t panel, const ProductPacking& packing,
                              const WeightRows& weight_rows, std::byte* memory) const {
  auto* weights = reinterpret_cast<uint8_t*>(memory + Offset(panel));
  auto* start = reinterpret_cast<int32_t*>(weights + Padded(panel) * depth_);
  auto* scales = reinterpret_cast<float*>(start + Padded(panel));
  float* bias = scales + Padded(panel);
  const int64_t first = panel * width_;
  const int64_t columns = ColumnsOf(panel);
  const auto* b = static_cast<const uint8_t*>(m.weights);
  if (weight_rows) {
    std::vector<uint8_t> rows(static_cast<size_t>(columns * depth_));
    weight_rows(first, columns, rows.data());
    packing.transposed_panel({rows.data(), depth_, columns, depth_}, 0, columns, weights);
  } else if (m.b_is_transposed) {
    packing.transposed_panel({b, depth_, columns_, depth_}, first, columns, weights);
  } else {
    packing.panel({b, columns_, depth_, columns_}, first, columns, nullptr, weights);
  }
  packing.start(weights, columns, depth_, m.a_zero_point, start);
  const Epilogue& e = m.epilogue;
  for (int64_t i = 0; i < columns; ++i) {
    const auto c = static_cast<size_t>(first + i);
    scales[i] = e.scales[e.scales.size() == 1 ? 0 : c];
    bias[i] = e.bias.empty() ? -0.0f : e.bias[c];
  }
}

}  // namespace intmill::native
