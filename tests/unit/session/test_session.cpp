// Sessions and bindings over small graphs: shapes, outputs, errors, taps, and who owns what.
#include <criterion/criterion.h>
#include <set>

#include "session/session.h"

namespace {

using namespace intmill;

// y = relu(x) + 1, z = relu(x), over x of any batch and three columns.
std::shared_ptr<const Graph> MakeGraph() {
  auto graph = std::make_shared<Graph>();
  const ValueId x = graph->AddValue("x", DType::kF32, Shape{kDynamic, 3});
  const ValueId one = graph->AddConstant("one", *Tensor::Scalar(1.0f));
  const ValueId z = graph->AddValue("z");
  const ValueId y = graph->AddValue("y");
  graph->AddNode("relu", FindOp("Relu"), {x}, {z});
  graph->AddNode("add", FindOp("Add"), {z, one}, {y});
  graph->inputs = {x};
  graph->outputs = {y, z};
  return graph;
}

std::shared_ptr<const Session> MakeSession(SessionOptions options = {}) {
  options.threads = 1;
  auto session = Session::Create(MakeGraph(), options);
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  return *session;
}

Tensor Batch(std::vector<float> values) {
  const auto rows = static_cast<int64_t>(values.size()) / 3;
  return *Tensor::Of(std::span<const float>(values))->Reshaped({rows, 3});
}

void ExpectValues(const Tensor& t, const std::vector<float>& expected) {
  cr_assert(t.valid());
  cr_assert_eq(t.elements(), static_cast<int64_t>(expected.size()));
  for (size_t i = 0; i < expected.size(); ++i) cr_expect_eq(t.values<float>()[i], expected[i]);
}

}  // namespace

Test(session, makes_outputs_that_are_not_given) {
  std::vector<Tensor> outputs(2);
  const Tensor x = Batch({-1, 2, 3});
  const Status status = MakeSession()->Run({&x, 1}, outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  ExpectValues(outputs[0], {1, 3, 4});
  ExpectValues(outputs[1], {0, 2, 3});
}

Test(session, writes_given_outputs_in_place) {
  std::vector<Tensor> outputs = {*Tensor::Make(DType::kF32, {1, 3}), Tensor()};
  const void* memory = outputs[0].data<void>();
  const Tensor x = Batch({-1, 2, 3});
  cr_assert(MakeSession()->Run({&x, 1}, outputs).ok());
  cr_expect_eq(outputs[0].data<void>(), memory);
  ExpectValues(outputs[0], {1, 3, 4});
}

Test(session, takes_batches_of_any_size) {
  const auto session = MakeSession();
  for (const int64_t rows : {1, 4, 2, 4, 1, 7, 3, 5, 6, 8, 9, 10, 1}) {
    const Tensor x = Batch(std::vector<float>(static_cast<size_t>(rows) * 3, 2.0f));
    std::vector<Tensor> outputs(2);
    cr_assert(session->Run({&x, 1}, outputs).ok());
    ExpectValues(outputs[0], std::vector<float>(static_cast<size_t>(rows) * 3, 3.0f));
  }
}

Test(session, references_give_the_same_as_kernels) {
  const Tensor x = Batch({-1, 2, 3});
  std::vector<Tensor> outputs(2);
  cr_assert(MakeSession({.references_only = true})->Run({&x, 1}, outputs).ok());
  ExpectValues(outputs[0], {1, 3, 4});
}

Test(session, refuses_an_input_of_the_wrong_shape_and_names_both) {
  const Tensor x = *Tensor::Make(DType::kF32, {2, 4});
  std::vector<Tensor> outputs(2);
  const Status status = MakeSession()->Run({&x, 1}, outputs);
  cr_expect_eq(status.code(), Code::kShape);
  cr_expect_str_eq(status.message().c_str(), "input 'x': found 2x4, wanted ?x3");
  cr_expect_not(outputs[0].valid());
}

Test(session, refuses_an_input_of_the_wrong_type) {
  const Tensor x = *Tensor::Make(DType::kS32, {2, 3});
  std::vector<Tensor> outputs(2);
  const Status status = MakeSession()->Run({&x, 1}, outputs);
  cr_expect_str_eq(status.message().c_str(), "input 'x': found s32, wanted f32");
}

Test(session, refuses_an_output_of_the_wrong_shape) {
  const Tensor x = Batch({-1, 2, 3});
  std::vector<Tensor> outputs = {*Tensor::Make(DType::kF32, {2, 3}), Tensor()};
  const Status status = MakeSession()->Run({&x, 1}, outputs);
  cr_expect_eq(status.code(), Code::kShape);
  cr_expect_not(outputs[1].valid(), "a failing run hands out nothing");
}

Test(session, an_input_that_is_also_an_output_is_copied) {
  auto graph = std::make_shared<Graph>(*MakeGraph());
  graph->outputs = {graph->inputs[0], graph->inputs[0]};
  const auto session = *Session::Create(graph, {.threads = 1});
  const Tensor x = Batch({-1, 2, 3});
  std::vector<Tensor> outputs(2);
  cr_assert(session->Run({&x, 1}, outputs).ok());
  ExpectValues(outputs[0], {-1, 2, 3});
  ExpectValues(outputs[1], {-1, 2, 3});
  cr_expect_neq(outputs[0].data<void>(), x.data<void>());
}

Test(session, a_tap_sees_the_input_and_every_value) {
  std::set<std::string> seen;
  const Tensor x = Batch({-1, 2, 3});
  std::vector<Tensor> outputs(2);
  const Tap tap = [&](const std::string& name, const Tensor& t, Layout) {
    seen.insert(name);
    return t.elements() == 3 ? Ok() : Error(Code::kInternal, "wrong size");
  };
  cr_assert(MakeSession()->Run({&x, 1}, outputs, tap).ok());
  cr_expect(seen == (std::set<std::string>{"x", "y", "z"}));
}

Test(session, the_memory_limit_is_checked_before_memory_is_taken) {
  auto graph = std::make_shared<Graph>(*MakeGraph());
  graph->outputs.pop_back();  // z becomes a temporary: 12,000 bytes below
  const auto session = *Session::Create(graph, {.threads = 1, .memory_limit = 11999});
  const Tensor x = Batch(std::vector<float>(3000, 1.0f));
  std::vector<Tensor> outputs(1);
  const Status status = session->Run({&x, 1}, outputs);
  cr_expect_eq(status.code(), Code::kOutOfMemory);
  cr_expect_str_eq(status.message().c_str(), "the plan needs 12032 bytes, the limit is 11999");
}

Test(binding, runs_with_what_was_set_and_follows_new_shapes) {
  auto binding = *Binding::Create(MakeSession());
  cr_expect_eq(binding->Run().code(), Code::kState);
  cr_expect_eq(binding->Output(0).status().code(), Code::kState);
  cr_assert(binding->SetInput(0, Batch({1, 2, 3})).ok());
  cr_assert(binding->Run().ok());
  ExpectValues(*binding->Output(0), {2, 3, 4});
  cr_assert(binding->SetInput(0, Batch({1, 2, 3, 4, 5, 6})).ok());
  cr_assert(binding->Run().ok());
  ExpectValues(*binding->Output(0), {2, 3, 4, 5, 6, 7});
}

Test(binding, reads_its_input_anew_at_each_run) {
  auto binding = *Binding::Create(MakeSession());
  Tensor x = Batch({1, 2, 3});
  cr_assert(binding->SetInput(0, x).ok());
  cr_assert(binding->Run().ok());
  x.mutable_data<float>()[0] = 10;
  cr_assert(binding->Run().ok());
  ExpectValues(*binding->Output(0), {11, 3, 4});
}

Test(binding, outlives_the_handles_it_was_made_from) {
  auto session = MakeSession();
  auto binding = *Binding::Create(session);
  session.reset();
  cr_assert(binding->SetInput(0, Batch({1, 2, 3})).ok());
  cr_assert(binding->Run().ok());
}

Test(binding, refuses_indices_that_do_not_exist) {
  auto binding = *Binding::Create(MakeSession());
  const Status status = binding->SetInput(1, Batch({1, 2, 3}));
  cr_expect_str_eq(status.message().c_str(), "input 1: the model has 1");
  cr_expect_eq(binding->SetOutput(-1, Tensor()).code(), Code::kInvalidArgument);
}

Test(session, profile_counts_calls_of_each_step) {
  SessionOptions options;
  options.profile = true;
  const auto session = MakeSession(options);
  const Tensor x = Batch({1, 2, 3});
  for (int i = 0; i < 3; ++i) {
    std::vector<Tensor> outputs(2);
    cr_assert(session->Run({&x, 1}, outputs).ok());
  }
  const Table profile = session->Profile();
  cr_assert_eq(profile.rows.size(), 2u);
  cr_expect_eq(std::get<int64_t>(profile.rows[0][4]), 3);
}

Test(binding, an_input_that_was_not_set_is_a_matter_of_state) {
  auto binding = *Binding::Create(MakeSession());
  const Status status = binding->Run();
  cr_expect_eq(status.code(), Code::kState);
  cr_expect_str_eq(status.message().c_str(), "input 0 has not been set");
}

Test(binding, an_output_of_another_rank_is_refused_when_set) {
  auto session = MakeSession();
  auto graph = std::make_shared<Graph>(session->graph());
  graph->value(graph->outputs[0]).shape = Shape{kDynamic, 3};
  auto binding = *Binding::Create(*Session::Create(graph, {.threads = 1}));
  cr_expect_eq(binding->SetOutput(0, *Tensor::Make(DType::kF32, {3})).code(), Code::kShape);
}

Test(session, an_output_on_its_input_is_refused) {
  const Tensor x = Batch({1, 2, 3});
  std::vector<Tensor> outputs = {x, Tensor()};
  cr_expect_eq(MakeSession()->Run({&x, 1}, outputs).code(), Code::kInvalidArgument);
}
