// Verifier: figures that can be worked out by hand.
#include "quant/verify.h"

#include <cmath>

#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

// y = x * factors, element by element: a model whose outputs a test can choose.
std::shared_ptr<const Graph> Scaled(const std::vector<float>& factors) {
  const int64_t n = static_cast<int64_t>(factors.size());
  GraphMaker g;
  const ValueId x = g.Input("x", {kDynamic, n});
  g.Output(g.Node("Mul", {x, g.Constant("c", {n}, factors)}, "y"));
  return std::make_shared<const Graph>(std::move(g.graph));
}

std::unique_ptr<Verifier> Make(const std::vector<float>& a, const std::vector<float>& b) {
  Result<std::unique_ptr<Verifier>> made = Verifier::Create(Scaled(a), Scaled(b), {});
  cr_assert(made.ok(), "%s", made.status().message().c_str());
  return *std::move(made);
}

Tensor Batch(int64_t rows, const std::vector<float>& values) {
  Tensor x = *Tensor::Make(DType::kF32, {rows, static_cast<int64_t>(values.size()) / rows});
  std::copy(values.begin(), values.end(), x.mutable_data<float>());
  return x;
}

Status Feed(Verifier& verifier, const Tensor& x, const std::vector<int64_t>& targets = {}) {
  if (targets.empty()) return verifier.Feed({&x, 1}, {});
  const Tensor t = *Tensor::Of(std::span<const int64_t>(targets));
  return verifier.Feed({&x, 1}, {&t, 1});
}

double Cell(const Table& table, std::string_view key) {
  for (const auto& row : table.rows) {
    if (std::get<std::string>(row[0]) != key) continue;
    if (const auto* n = std::get_if<int64_t>(&row[1])) return static_cast<double>(*n);
    return std::get<double>(row[1]);
  }
  return NAN;
}

}  // namespace

Test(verify, a_model_agrees_with_itself) {
  const auto verifier = Make({1, 1}, {1, 1});
  cr_assert(Feed(*verifier, Batch(2, {1, 2, 3, 4})).ok());
  cr_assert_eq(Cell(verifier->Summary(), "samples"), 2);
  cr_assert_eq(Cell(verifier->Summary(), "agreement"), 100);
  cr_assert_eq(std::get<double>(verifier->Outputs().rows[0][1]), 1.0);
}

Test(verify, agreement_counts_rows_with_the_same_best_class) {
  const auto verifier = Make({1, 1}, {1, 3});
  // Rows: the best class stays 0, moves from 0 to 1, stays 1, stays 1.
  cr_assert(Feed(*verifier, Batch(4, {9, 1, 2, 1, 1, 2, 0, 5})).ok());
  cr_assert_eq(Cell(verifier->Summary(), "agreement"), 75);
}

Test(verify, top1_and_top5_count_targets) {
  const std::vector<float> ones(6, 1.0f);
  const auto verifier = Make(ones, ones);
  // Order of classes by score: 5 4 3 2 1 0. Targets: the best, the fifth, and the last.
  const Tensor x = Batch(3, {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5});
  cr_assert(Feed(*verifier, x, {5, 1, 0}).ok());
  cr_assert_float_eq(Cell(verifier->Summary(), "reference_top1"), 100.0 / 3, 1e-9);
  cr_assert_float_eq(Cell(verifier->Summary(), "candidate_top5"), 200.0 / 3, 1e-9);
}

Test(verify, figures_add_up_over_batches) {
  const auto verifier = Make({1, 1}, {1, 3});
  cr_assert(Feed(*verifier, Batch(1, {9, 1})).ok());
  cr_assert(Feed(*verifier, Batch(1, {2, 1})).ok());
  cr_assert_eq(Cell(verifier->Summary(), "samples"), 2);
  cr_assert_eq(Cell(verifier->Summary(), "agreement"), 50);
}

Test(verify, sqnr_and_errors_compare_all_elements) {
  const auto verifier = Make({1, 1}, {1, 1.1f});
  cr_assert(Feed(*verifier, Batch(1, {0, 10})).ok());
  const auto row = verifier->Outputs().rows[0];
  cr_assert(std::get<std::string>(row[0]) == "y");
  cr_assert_float_eq(std::get<double>(row[2]), 20.0, 1e-4);  // signal 10, noise 1
  cr_assert_float_eq(std::get<double>(row[3]), 1.0, 1e-5);
  cr_assert_float_eq(std::get<double>(row[4]), 0.5, 1e-5);
}

Test(verify, targets_come_with_every_batch_or_none) {
  const auto verifier = Make({1, 1}, {1, 1});
  cr_assert(Feed(*verifier, Batch(1, {1, 2}), {1}).ok());
  cr_assert_eq(Feed(*verifier, Batch(1, {1, 2})).code(), Code::kState);
}

Test(verify, a_target_out_of_range_leaves_no_trace) {
  const auto verifier = Make({1, 1}, {1, 1});
  cr_assert(Feed(*verifier, Batch(1, {1, 2}), {1}).ok());
  cr_assert_eq(Feed(*verifier, Batch(2, {1, 2, 3, 4}), {0, 2}).code(), Code::kInvalidArgument);
  cr_assert_eq(Cell(verifier->Summary(), "samples"), 1);
}

Test(verify, the_number_of_targets_must_fit) {
  const auto verifier = Make({1, 1}, {1, 1});
  cr_assert_eq(Feed(*verifier, Batch(2, {1, 2, 3, 4}), {1}).code(), Code::kShape);
}

Test(verify, models_of_other_shapes_are_refused) {
  const auto made = Verifier::Create(Scaled({1, 1}), Scaled({1, 1, 1}), {});
  cr_assert_eq(made.status().code(), Code::kShape);
}
