// What a profile says of the work in each step.
#include <criterion/criterion.h>

#include "session/session.h"

namespace {

using namespace intmill;

// Steps of the one plan that a graph of constant shapes has: multiply_adds and dtype of the first.
void ExpectFirstStep(const std::shared_ptr<Graph>& graph, double multiply_adds, const char* dtype) {
  auto session = Session::Create(graph, {.threads = 1, .profile = true});
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  const Table profile = (*session)->Profile();
  cr_assert_str_eq(profile.columns[7].c_str(), "multiply_adds");
  cr_assert_str_eq(profile.columns[8].c_str(), "dtype");
  for (const auto& row : profile.rows) {
    if (std::get<std::string>(row[0]) != "layer") continue;
    cr_expect_eq(std::get<double>(row[7]), multiply_adds);
    cr_expect_str_eq(std::get<std::string>(row[8]).c_str(), dtype);
    return;
  }
  cr_assert_fail("no step of the layer");
}

// One operator, "layer", of an input and constant weights of ones.
std::shared_ptr<Graph> MakeProduct(const char* op, Shape in, const Shape& weights) {
  auto graph = std::make_shared<Graph>();
  Tensor w = *Tensor::Make(DType::kF32, weights);
  for (int64_t i = 0; i < w.elements(); ++i) w.mutable_data<float>()[i] = 1;
  const ValueId x = graph->AddValue("x", DType::kF32, std::move(in));
  const ValueId y = graph->AddValue("y");
  graph->AddNode("layer", FindOp(op), {x, graph->AddConstant("w", std::move(w))}, {y});
  graph->inputs = {x};
  graph->outputs = {y};
  return graph;
}

}  // namespace

Test(profile, counts_multiply_adds_of_a_convolution_for_each_output) {
  const auto graph = MakeProduct("Conv", {2, 4, 8, 8}, {6, 2, 3, 3});
  graph->nodes[0].attrs.Set("group", int64_t{2});
  ExpectFirstStep(graph, 2.0 * 6 * 6 * 6 * (2 * 3 * 3), "f32");
}

Test(profile, counts_multiply_adds_of_a_transposed_convolution_for_each_input) {
  const auto graph = MakeProduct("ConvTranspose", {1, 4, 5, 5}, {4, 3, 2, 2});
  graph->nodes[0].attrs.Set("strides", std::vector<int64_t>{2, 2});
  ExpectFirstStep(graph, 4.0 * 5 * 5 * (3 * 2 * 2), "f32");
}

Test(profile, counts_multiply_adds_of_stacked_matrices) {
  ExpectFirstStep(MakeProduct("MatMul", {3, 5, 7}, {7, 11}), 3.0 * 5 * 7 * 11, "f32");
}

Test(profile, counts_multiply_adds_of_a_transposed_gemm) {
  const auto graph = MakeProduct("Gemm", {7, 5}, {11, 7});
  graph->nodes[0].attrs.Set("transA", int64_t{1});
  graph->nodes[0].attrs.Set("transB", int64_t{1});
  ExpectFirstStep(graph, 5.0 * 7 * 11, "f32");
}

Test(profile, counts_no_multiply_adds_of_other_operators) {
  auto graph = std::make_shared<Graph>();
  const ValueId x = graph->AddValue("x", DType::kF32, Shape{2, 3});
  const ValueId y = graph->AddValue("y");
  graph->AddNode("layer", FindOp("Softmax"), {x}, {y});
  graph->inputs = {x};
  graph->outputs = {y};
  ExpectFirstStep(graph, 0, "f32");
}

Test(profile, has_the_runs_of_a_binding_that_still_lives) {
  const auto graph = MakeProduct("MatMul", {5, 7}, {7, 3});
  const auto session = *Session::Create(graph, {.threads = 1, .profile = true});
  const auto binding = *Binding::Create(session);
  cr_assert(binding->SetInput(0, *Tensor::Make(DType::kF32, {5, 7})).ok());
  for (int64_t run = 1; run <= 3; ++run) {
    cr_assert(binding->Run().ok());
    cr_expect_eq(std::get<int64_t>(session->Profile().rows[0][4]), run);
  }
}
