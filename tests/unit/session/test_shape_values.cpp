// Sessions over models whose shapes depend on what a small input holds.
#include <criterion/criterion.h>
#include <vector>

#include "session/session.h"

namespace {

using namespace intmill;

// y = reshape(x, target), the target an input like x.
std::shared_ptr<const Session> MakeSession() {
  auto graph = std::make_shared<Graph>();
  const ValueId x = graph->AddValue("x", DType::kF32, Shape{2, 6});
  const ValueId target = graph->AddValue("target", DType::kS64, Shape{kDynamic});
  const ValueId y = graph->AddValue("y");
  graph->AddNode("reshape", FindOp("Reshape"), {x, target}, {y});
  graph->inputs = {x, target};
  graph->outputs = {y};
  auto session = Session::Create(std::move(graph), {.threads = 1});
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  return *session;
}

Tensor Target(const std::vector<int64_t>& dims) {
  return *Tensor::Of(std::span<const int64_t>(dims));
}

Shape ShapeAfter(const Session& session, const std::vector<int64_t>& target) {
  const std::vector<Tensor> inputs = {*Tensor::Make(DType::kF32, {2, 6}), Target(target)};
  std::vector<Tensor> outputs(1);
  const Status status = session.Run(inputs, outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return outputs[0].shape();
}

}  // namespace

Test(shape_values, the_value_of_an_input_gives_the_shape) {
  const auto session = MakeSession();
  cr_expect_eq(ShapeAfter(*session, {3, 4}), (Shape{3, 4}));
  cr_expect_eq(ShapeAfter(*session, {-1}), (Shape{12}));
  cr_expect_eq(ShapeAfter(*session, {3, 4}), (Shape{3, 4}));
}

Test(shape_values, a_value_that_does_not_fit_is_an_error) {
  const auto session = MakeSession();
  const std::vector<Tensor> inputs = {*Tensor::Make(DType::kF32, {2, 6}), Target({5, 5})};
  std::vector<Tensor> outputs(1);
  cr_expect_not(session->Run(inputs, outputs).ok());
  cr_expect_not(outputs[0].valid());
}

Test(shape_values, a_binding_sees_values_written_between_runs) {
  auto binding = *Binding::Create(MakeSession());
  Tensor target = Target({3, 4});
  cr_assert(binding->SetInput(0, *Tensor::Make(DType::kF32, {2, 6})).ok());
  cr_assert(binding->SetInput(1, target).ok());
  cr_assert(binding->Run().ok());
  cr_expect_eq(binding->Output(0)->shape(), (Shape{3, 4}));

  target.mutable_data<int64_t>()[0] = 6;
  target.mutable_data<int64_t>()[1] = 2;
  cr_assert(binding->Run().ok());
  cr_expect_eq(binding->Output(0)->shape(), (Shape{6, 2}));
}
