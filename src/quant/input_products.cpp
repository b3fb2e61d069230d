// InputProducts: products within a sample in floats, sums over samples exact.
#include "quant/input_products.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace intmill {
namespace {

constexpr double kUnit = 0x1p44;
// 2^20 samples of this size still fit into 128 bits.
constexpr double kLargest = 0x1p62;
// Channels whose sums stay in registers while the rows go by.
constexpr int64_t kTile = 16;

}  // namespace

void InputProducts::AddRow(std::span<const float> values, int64_t i, std::vector<float>& sums) {
  const int64_t rows = static_cast<int64_t>(values.size()) / channels_;
  for (int64_t first = 0; first <= i; first += kTile) {
    const int64_t count = std::min(kTile, channels_ - first);
    float tile[kTile] = {};
    const float* row = values.data();
    for (int64_t r = 0; r < rows; ++r, row += channels_) {
      const float x = row[i];
      if (count == kTile) {
        for (int64_t j = 0; j < kTile; ++j) tile[j] += x * row[first + j];
      } else {
        for (int64_t j = 0; j < count; ++j) tile[j] += x * row[first + j];
      }
    }
    std::copy(tile, tile + count, sums.begin() + first);
  }
}

void InputProducts::Add(std::span<const float> values, int64_t channels) {
  if (channels_ == 0 && channels > 0) {
    channels_ = channels;
    sums_.resize(static_cast<size_t>(channels * (channels + 1) / 2));
  }
  if (channels != channels_ ||
      values.size() % static_cast<size_t>(std::max<int64_t>(channels, 1)) != 0)
    usable_ = false;
  if (!usable_) return;
  std::vector<float> sums(static_cast<size_t>(channels));
  Sum* to = sums_.data();
  for (int64_t i = 0; i < channels; ++i) {
    AddRow(values, i, sums);
    for (int64_t j = 0; j <= i; ++j, ++to) {
      const double scaled = static_cast<double>(sums[static_cast<size_t>(j)]) * kUnit;
      // Written so that NaN is caught.
      if (!(std::fabs(scaled) < kLargest * kUnit)) usable_ = false;
      if (usable_) *to += static_cast<Sum>(std::rint(scaled));
    }
  }
}

void InputProducts::Merge(const InputProducts& other) {
  if (channels_ == 0 && usable_) {
    *this = other;
    return;
  }
  usable_ = usable_ && other.usable_ && (other.channels_ == 0 || other.channels_ == channels_);
  if (!usable_ || other.channels_ == 0) return;
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
}

double InputProducts::Get(int64_t i, int64_t j) const {
  if (j > i) std::swap(i, j);
  return static_cast<double>(sums_[static_cast<size_t>(i * (i + 1) / 2 + j)]) / kUnit;
}

}  // namespace intmill
