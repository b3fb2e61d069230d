// MinCut: items take their cheaper state, unless their neighbours make that dear.
#include "cli/min_cut.h"

#include <criterion/criterion.h>

namespace {

using intmill::cli::MinCut;

}  // namespace

Test(min_cut, items_alone_take_the_cheaper_state) {
  MinCut cut(2);
  cut.AddItem(0, 3, 1);
  cut.AddItem(1, 1, 3);
  const std::vector<bool> changed = cut.Solve();
  cr_assert_eq(changed.size(), 2u);
  cr_expect(changed[0]);
  cr_expect(!changed[1]);
}

Test(min_cut, a_tie_is_kept) {
  MinCut cut(1);
  cut.AddItem(0, 2, 2);
  cr_expect(!cut.Solve()[0]);
}

Test(min_cut, an_item_without_costs_is_kept) {
  MinCut cut(1);
  cr_expect(!cut.Solve()[0]);
}

Test(min_cut, a_dear_border_keeps_an_item_that_would_gain_alone) {
  MinCut cut(2);
  cut.AddItem(0, 3, 1);
  cut.AddItem(1, 1, 9);
  cut.AddBorder(0, 1, 2.5);
  cr_expect(!cut.Solve()[0]);
}

Test(min_cut, a_loss_between_two_gains_is_changed_with_them) {
  MinCut cut(3);
  cut.AddItem(0, 10, 1);
  cut.AddItem(1, 2, 4);
  cut.AddItem(2, 10, 1);
  cut.AddBorder(0, 1, 3);
  cut.AddBorder(1, 2, 3);
  const std::vector<bool> changed = cut.Solve();
  cr_expect(changed[0] && changed[1] && changed[2]);
}

// Every one of the 2^8 choices is tried.
Test(min_cut, finds_the_cheapest_of_all_choices) {
  const double keep[] = {5, 1, 7, 3, 2, 8, 4, 6};
  const double change[] = {4, 6, 2, 3.5, 9, 1, 4.5, 3};
  const int borders[][2] = {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {0, 5}};
  const auto cost_of = [&](const std::vector<bool>& changed) {
    double cost = 0;
    for (size_t i = 0; i < 8; ++i) cost += changed[i] ? change[i] : keep[i];
    for (const auto& [a, b] : borders)
      if (changed[static_cast<size_t>(a)] != changed[static_cast<size_t>(b)]) cost += 1.25;
    return cost;
  };
  double cheapest = 1e9;
  for (int bits = 0; bits < 256; ++bits) {
    std::vector<bool> changed(8);
    for (size_t i = 0; i < 8; ++i) changed[i] = (bits >> i) % 2 != 0;
    cheapest = std::min(cheapest, cost_of(changed));
  }
  MinCut cut(8);
  for (size_t i = 0; i < 8; ++i) cut.AddItem(i, keep[i], change[i]);
  for (const auto& [a, b] : borders)
    cut.AddBorder(static_cast<size_t>(a), static_cast<size_t>(b), 1.25);
  cr_expect_float_eq(cost_of(cut.Solve()), cheapest, 1e-9);
}
