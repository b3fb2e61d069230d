// Planning precisions: as good as trying every choice, and within the budget.
#include "quant/plan_precisions.h"

#include <cmath>
#include <criterion/criterion.h>
#include <limits>
#include <random>

using namespace intmill;

namespace {

constexpr int64_t kPrecisions = 3;

struct Problem {
  std::vector<double> noise;
  std::vector<double> cost;

  double Sum(const std::vector<double>& of, const std::vector<int64_t>& plan) const {
    double sum = 0;
    for (size_t i = 0; i < plan.size(); ++i)
      sum += of[i * kPrecisions + static_cast<size_t>(plan[i])];
    return sum;
  }
};

// Noise over four powers of ten, the last precision exact and dear.
Problem Random(size_t layers, unsigned seed) {
  std::mt19937 random(seed);
  const auto uniform = [&] { return static_cast<double>(random()) / 4294967296.0; };
  Problem p;
  for (size_t i = 0; i < layers; ++i) {
    const double noise = std::pow(10, -4 * uniform());
    p.noise.insert(p.noise.end(), {noise, noise * uniform() / 10, 0});
    p.cost.insert(p.cost.end(), {uniform(), 1 + uniform(), 2 + uniform()});
  }
  return p;
}

double BruteForce(const Problem& p, size_t layers, double max_noise) {
  double best = std::numeric_limits<double>::infinity();
  std::vector<int64_t> plan(layers);
  for (;;) {
    if (p.Sum(p.noise, plan) <= max_noise) best = std::min(best, p.Sum(p.cost, plan));
    size_t i = 0;
    while (i < layers && ++plan[i] == kPrecisions) plan[i++] = 0;
    if (i == layers) return best;
  }
}

std::vector<int64_t> Plan(const Problem& p, double max_noise) {
  const auto plan = PlanPrecisions(kPrecisions, p.noise, p.cost, max_noise);
  cr_assert(plan.ok(), "%s", plan.status().message().c_str());
  return *plan;
}

}  // namespace

Test(plan_precisions, is_as_good_as_trying_every_choice) {
  constexpr size_t kLayers = 7;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const Problem p = Random(kLayers, seed);
    for (const double share : {1.0, 0.5, 0.1, 0.01, 0.001}) {
      const double budget = share * p.Sum(p.noise, std::vector<int64_t>(kLayers, 0));
      const std::vector<int64_t> plan = Plan(p, budget);
      cr_assert_leq(p.Sum(p.noise, plan), budget);
      // Noises are rounded up to parts of the budget, so a choice at its very edge may be missed.
      cr_assert_leq(p.Sum(p.cost, plan), BruteForce(p, kLayers, budget * (1 - 7.0 / 4096)) + 1e-9,
                    "seed %u, share %g", seed, share);
    }
  }
}

Test(plan_precisions, without_a_budget_each_layer_is_as_cheap_as_can_be) {
  const Problem p = Random(40, 3);
  for (const int64_t chosen : Plan(p, std::numeric_limits<double>::infinity()))
    cr_assert_eq(chosen, 0);
}

Test(plan_precisions, a_budget_of_nothing_leaves_what_is_exact) {
  const Problem p = Random(40, 4);
  for (const int64_t chosen : Plan(p, 0)) cr_assert_eq(chosen, 2);
}

Test(plan_precisions, what_cannot_be_kept_comes_as_close_as_it_can) {
  Problem p = Random(5, 5);
  for (double& noise : p.noise) noise += 1;
  for (const int64_t chosen : Plan(p, 0.5)) cr_assert_eq(chosen, 2);
}

Test(plan_precisions, a_layer_that_must_not_be_quantized_is_not) {
  Problem p = Random(12, 6);
  p.noise[kPrecisions * 4] = std::numeric_limits<double>::infinity();
  p.noise[kPrecisions * 4 + 1] = std::numeric_limits<double>::infinity();
  cr_assert_eq(Plan(p, 1e6)[4], 2);
}

Test(plan_precisions, refuses_what_are_no_noises_and_costs) {
  const std::vector<double> good = {1, 2, 3};
  const std::vector<double> negative = {1, -2, 3};
  const std::vector<double> nan = {1, std::nan(""), 3};
  for (const auto& bad : {negative, nan}) {
    cr_assert(!PlanPrecisions(3, bad, good, 1).ok());
    cr_assert(!PlanPrecisions(3, good, bad, 1).ok());
  }
  cr_assert(!PlanPrecisions(3, good, good, -1).ok());
  cr_assert(!PlanPrecisions(2, good, good, 1).ok());
  cr_assert(!PlanPrecisions(0, {}, {}, 1).ok());
  cr_assert(PlanPrecisions(3, {}, {}, 1)->empty());
}
