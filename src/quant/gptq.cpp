// RoundByGptq: a Cholesky decomposition, and greedy rounding by it.
#include "quant/gptq.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.h"

namespace intmill {
namespace {

// Lines that are rounded together: as many as sums of doubles in a few registers.
constexpr int64_t kLines = 8;

using Matrix = std::vector<double>;  // depth x depth

std::vector<int64_t> OrderOf(const InputProducts& products, bool ordered) {
  std::vector<int64_t> order(static_cast<size_t>(products.channels()));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (ordered)
    std::ranges::stable_sort(
        order, [&](int64_t a, int64_t b) { return products.Get(a, a) > products.Get(b, b); });
  return order;
}

double Dot(const double* a, const double* b, int64_t n) {
  double sums[4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int64_t k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// A = L L^T in the place of the lower triangle of A; false when A is not positive definite.
bool Decompose(Matrix& a, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    double* const row = a.data() + i * n;
    for (int64_t j = 0; j < i; ++j) {
      const double* const other = a.data() + j * n;
      row[j] = (row[j] - Dot(row, other, j)) / other[j];
    }
    const double square = row[i] - Dot(row, row, i);
    if (!(square > 0)) return false;
    row[i] = std::sqrt(square);
  }
  return true;
}

// R^T as rows, in the order of rounding: element [i][j], j <= i, is R_ji. Turning the order of H
// round makes R^T of its usual decomposition.
Result<Matrix> Factor(const InputProducts& products, const std::vector<int64_t>& order,
                      double damping) {
  const int64_t n = products.channels();
  double mean = 0;
  for (int64_t i = 0; i < n; ++i) mean += products.Get(i, i) / static_cast<double>(n);
  if (mean == 0) mean = 1;
  Matrix a(static_cast<size_t>(n * n));
  constexpr int kTries = 6;
  for (int i = 0; i < kTries; ++i, damping = std::max(damping, 1e-4) * 10) {
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = 0; c <= r; ++c)
        a[static_cast<size_t>(r * n + c)] = products.Get(order[static_cast<size_t>(n - 1 - r)],
                                                         order[static_cast<size_t>(n - 1 - c)]) +
                                            (r == c ? damping * mean : 0);
    if (!Decompose(a, n)) continue;
    Matrix turned(a.size());
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = 0; c <= r; ++c)
        turned[static_cast<size_t>(r * n + c)] =
            a[static_cast<size_t>((n - 1 - c) * n + n - 1 - r)];
    return turned;
  }
  return Error(Code::kState, "the products of the inputs are not positive definite");
}

}  // namespace

Result<std::vector<int32_t>> RoundByGptq(const float* weights, int64_t lines, int64_t depth,
                                         const InputProducts& products, const GptqOptions& options,
                                         const RoundWeight& round) {
  const std::vector<int64_t> order = OrderOf(products, options.ordered);
  ASSIGN_OR_RETURN(const Matrix factor, Factor(products, order, options.damping));
  std::vector<int32_t> rounded(static_cast<size_t>(lines * depth));
  const int64_t groups = (lines + kLines - 1) / kLines;
  ParallelFor(groups, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> errors(static_cast<size_t>(depth * kLines));
    for (int64_t group = begin; group < end; ++group) {
      const int64_t first = group * kLines;
      const int64_t count = std::min(kLines, lines - first);
      for (int64_t i = 0; i < depth; ++i) {
        const double* const row = factor.data() + i * depth;
        double sums[kLines] = {};
        for (int64_t j = 0; j < i; ++j)
          for (int64_t l = 0; l < kLines; ++l)
            sums[l] += row[j] * errors[static_cast<size_t>(j * kLines + l)];
        const int64_t k = order[static_cast<size_t>(i)];
        for (int64_t l = 0; l < kLines; ++l) {
          double& error = errors[static_cast<size_t>(i * kLines + l)];
          error = 0;
          if (l >= count) continue;
          const int64_t at = (first + l) * depth + k;
          const double w = weights[at];
          error = w - round(first + l, k, w + sums[l] / row[i], &rounded[static_cast<size_t>(at)]);
        }
      }
    }
  });
  return rounded;
}

}  // namespace intmill
