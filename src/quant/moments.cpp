// InputMoments: rows are turned into columns, so that each product of two entries is one dot
// product.
#include "quant/moments.h"

#include <algorithm>

namespace intmill {
namespace {

// Rows at once: 255 * 255 * kPortion fits into 32 bits, and a sum over a known number of products
// is one that compilers turn into vector instructions.
constexpr int64_t kPortion = 256;

int32_t Dot(const int16_t* a, const int16_t* b) {
  int32_t sum = 0;
  for (int64_t i = 0; i < kPortion; ++i) sum += int32_t{a[i]} * int32_t{b[i]};
  return sum;
}

}  // namespace

InputMoments::InputMoments(int64_t groups, int64_t entries)
    : groups_(groups), entries_(entries), sums_(static_cast<size_t>(groups * entries)) {
  const int64_t parts = (entries + kMostEntries - 1) / kMostEntries;
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t p = 0; p < parts; ++p) {
      const int64_t begin = p * entries / parts;
      const int64_t size = (p + 1) * entries / parts - begin;
      blocks_.push_back({g, begin, size});
      products_.emplace_back(static_cast<size_t>(size * (size + 1) / 2));
    }
  }
}

void InputMoments::Add(std::span<const int16_t> rows) {
  const int64_t count = static_cast<int64_t>(rows.size()) / width();
  std::vector<int16_t> columns(static_cast<size_t>(width() * kPortion));
  for (int64_t begin = 0; begin < count; begin += kPortion) {
    const int64_t n = std::min(kPortion, count - begin);
    if (n < kPortion) std::fill(columns.begin(), columns.end(), int16_t{0});
    for (int64_t r = 0; r < n; ++r) {
      const int16_t* const row = rows.data() + (begin + r) * width();
      for (int64_t i = 0; i < width(); ++i) columns[static_cast<size_t>(i * kPortion + r)] = row[i];
    }
    for (size_t b = 0; b < blocks_.size(); ++b) AddToBlock(b, columns);
    rows_ += n;
  }
}

void InputMoments::AddToBlock(size_t block, std::span<const int16_t> columns) {
  const int64_t first = blocks_[block].group * entries_ + blocks_[block].begin;
  int64_t* to = products_[block].data();
  for (int64_t i = 0; i < blocks_[block].size; ++i) {
    const int16_t* const a = columns.data() + (first + i) * kPortion;
    for (int64_t r = 0; r < kPortion; ++r) sums_[static_cast<size_t>(first + i)] += a[r];
    for (int64_t j = 0; j <= i; ++j) *to++ += Dot(a, columns.data() + (first + j) * kPortion);
  }
}

std::vector<float> InputMoments::Get(size_t block, bool centered, double damping) const {
  const auto n = static_cast<size_t>(blocks_[block].size);
  const auto first = static_cast<size_t>(blocks_[block].group * entries_ + blocks_[block].begin);
  const double rows = static_cast<double>(std::max<int64_t>(rows_, 1));
  std::vector<float> moments(n * n);
  const int64_t* from = products_[block].data();
  double diagonal = 0;
  for (size_t i = 0; i < n; ++i) {
    const double mean = static_cast<double>(sums_[first + i]) / rows;
    for (size_t j = 0; j <= i; ++j) {
      double value = static_cast<double>(*from++) / rows;
      if (centered) value -= mean * (static_cast<double>(sums_[first + j]) / rows);
      moments[i * n + j] = moments[j * n + i] = static_cast<float>(value);
    }
    diagonal += static_cast<double>(moments[i * n + i]);
  }
  const auto added = static_cast<float>(damping * diagonal / static_cast<double>(n));
  for (size_t i = 0; i < n; ++i) moments[i * n + i] += added;
  return moments;
}

}  // namespace intmill
