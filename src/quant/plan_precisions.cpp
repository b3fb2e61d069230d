// PlanPrecisions: a table of the least cost for each part of the budget, layer by layer.
#include "quant/plan_precisions.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace intmill {
namespace {

constexpr size_t kParts = 4096;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Knapsack {
 public:
  Knapsack(size_t precisions, std::span<const double> noise, std::span<const double> cost)
      : precisions_(precisions), layers_(noise.size() / precisions), noise_(noise), cost_(cost) {}

  std::vector<int64_t> LeastNoise() const {
    return ChooseEach([&](size_t a, size_t b) {
      return noise_[a] != noise_[b] ? noise_[a] < noise_[b] : cost_[a] < cost_[b];
    });
  }
  std::vector<int64_t> LeastCost() const {
    return ChooseEach([&](size_t a, size_t b) {
      return cost_[a] != cost_[b] ? cost_[a] < cost_[b] : noise_[a] < noise_[b];
    });
  }
  double NoiseOf(const std::vector<int64_t>& chosen) const {
    double sum = 0;
    for (size_t i = 0; i < layers_; ++i)
      sum += noise_[i * precisions_ + static_cast<size_t>(chosen[i])];
    return sum;
  }

  // Empty: nothing fits.
  std::vector<int64_t> Solve(double max_noise) const {
    const double part = max_noise / static_cast<double>(kParts);
    std::vector<double> best(kParts + 1, 0);  // of the layers so far, with at most so many parts
    std::vector<std::vector<uint8_t>> choices;
    for (size_t i = 0; i < layers_; ++i) {
      std::vector<double> next(kParts + 1, kInfinity);
      std::vector<uint8_t>& choice = choices.emplace_back(kParts + 1);
      for (size_t p = 0; p < precisions_; ++p) {
        const size_t parts = PartsOf(i, p, part);
        for (size_t b = parts; b <= kParts; ++b) {
          const double sum = best[b - parts] + cost_[i * precisions_ + p];
          if (!(sum < next[b])) continue;
          next[b] = sum;
          choice[b] = static_cast<uint8_t>(p);
        }
      }
      best = std::move(next);
    }
    if (best[kParts] == kInfinity) return {};
    // The least noise at which that cost is reached.
    size_t left =
        static_cast<size_t>(std::find(best.begin(), best.end(), best[kParts]) - best.begin());
    std::vector<int64_t> chosen(layers_);
    for (size_t i = layers_; i-- > 0;) {
      const size_t p = choices[i][left];
      chosen[i] = static_cast<int64_t>(p);
      left -= PartsOf(i, p, part);
    }
    return chosen;
  }

 private:
  // More than there are: it never fits.
  size_t PartsOf(size_t layer, size_t precision, double part) const {
    const double noise = noise_[layer * precisions_ + precision];
    if (noise == 0) return 0;
    const double parts = std::ceil(noise / part);  // infinite for the smallest budgets
    return parts > static_cast<double>(kParts) ? kParts + 1 : static_cast<size_t>(parts);
  }

  template <typename Less>
  std::vector<int64_t> ChooseEach(Less less) const {
    std::vector<int64_t> chosen(layers_);
    for (size_t i = 0; i < layers_; ++i) {
      const size_t first = i * precisions_;
      for (size_t p = 1; p < precisions_; ++p)
        if (less(first + p, first + static_cast<size_t>(chosen[i])))
          chosen[i] = static_cast<int64_t>(p);
    }
    return chosen;
  }

  const size_t precisions_;
  const size_t layers_;
  std::span<const double> noise_;
  std::span<const double> cost_;
};

Status Check(int64_t precisions, std::span<const double> noise, std::span<const double> cost,
             double max_noise) {
  if (precisions < 1 || precisions > 256)
    return Error(Code::kInvalidArgument, "found ", precisions, " precisions, wanted 1 to 256");
  if (noise.size() != cost.size() || noise.size() % static_cast<size_t>(precisions) != 0)
    return Error(Code::kInvalidArgument, "found ", noise.size(), " noises and ", cost.size(),
                 " costs for ", precisions, " precisions");
  const auto is_bad = [](double x) { return !(x >= 0); };
  if (std::any_of(noise.begin(), noise.end(), is_bad) ||
      std::any_of(cost.begin(), cost.end(), [](double x) { return !(x >= 0 && x < kInfinity); }) ||
      is_bad(max_noise))
    return Error(Code::kInvalidArgument, "a noise, a cost or the budget is negative or no number");
  return Ok();
}

}  // namespace

Result<std::vector<int64_t>> PlanPrecisions(int64_t precisions, std::span<const double> noise,
                                            std::span<const double> cost, double max_noise) {
  TRY(Check(precisions, noise, cost, max_noise));
  const Knapsack knapsack(static_cast<size_t>(precisions), noise, cost);
  std::vector<int64_t> cheapest = knapsack.LeastCost();
  if (knapsack.NoiseOf(cheapest) <= max_noise) return cheapest;
  if (max_noise == 0) return knapsack.LeastNoise();
  std::vector<int64_t> chosen = knapsack.Solve(max_noise);
  return chosen.empty() ? knapsack.LeastNoise() : chosen;
}

}  // namespace intmill
