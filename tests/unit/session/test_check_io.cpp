// Tests of what is checked of a caller's tensors before a run.
#include <criterion/criterion.h>

#include "session/check_io.h"
#include "session/session.h"

using namespace intmill;

namespace {

// Two inputs that share the dimension "batch", one output.
Graph TwoInputs() {
  Graph graph;
  graph.inputs = {graph.AddValue("a", DType::kF32, Shape{kDynamic, 3}),
                  graph.AddValue("b", DType::kF32, Shape{kDynamic})};
  graph.value(graph.inputs[0]).dim_names = {"batch", ""};
  graph.value(graph.inputs[1]).dim_names = {"batch"};
  graph.outputs = {graph.AddValue("y", DType::kF32, Shape{kDynamic, 2}), graph.AddValue("z")};
  return graph;
}

Tensor Floats(Shape shape) { return *Tensor::Make(DType::kF32, std::move(shape)); }

Tensor Part(const Tensor& t, int64_t begin, int64_t n) {
  return Tensor::View(DType::kF32, {n}, t.data<float>() + begin, nullptr);
}

Status Separate(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  return CheckSeparate(TwoInputs(), inputs, outputs);
}

}  // namespace

Test(check_io, sizes_of_one_name_must_be_equal) {
  const std::vector<Tensor> equal = {Floats({4, 3}), Floats({4})};
  cr_expect(CheckNamedDims(TwoInputs(), equal).ok());
  const std::vector<Tensor> unequal = {Floats({4, 3}), Floats({5})};
  const Status status = CheckNamedDims(TwoInputs(), unequal);
  cr_expect_eq(status.code(), Code::kShape);
  cr_expect_str_eq(status.message().c_str(),
                   "dimension 'batch' is 4 in input 'a' and 5 in input 'b'");
}

Test(check_io, outputs_are_checked_as_far_as_the_model_knows) {
  const Graph graph = TwoInputs();
  cr_expect(CheckOutputFits(graph, 0, Floats({7, 2})).ok());
  cr_expect(CheckOutputFits(graph, 1, Floats({1, 2, 3})).ok());
  const Status status = CheckOutputFits(graph, 0, Floats({7, 3}));
  cr_expect_str_eq(status.message().c_str(), "output 'y': found 7x3, wanted ?x2");
}

Test(check_io, inputs_may_share_memory) {
  const Tensor x = Floats({8});
  cr_expect(Separate({x, Part(x, 2, 4)}, {Floats({4}), Tensor()}).ok());
}

Test(check_io, neighbours_in_one_buffer_do_not_overlap) {
  const Tensor x = Floats({8});
  cr_expect(Separate({Part(x, 0, 4), Floats({1})}, {Part(x, 4, 2), Part(x, 6, 2)}).ok());
}

Test(check_io, an_output_on_an_input_is_refused) {
  const Tensor x = Floats({8});
  const Status status = Separate({Part(x, 0, 4), Floats({1})}, {Part(x, 3, 2), Tensor()});
  cr_expect_eq(status.code(), Code::kInvalidArgument);
  cr_expect_str_eq(status.message().c_str(), "output 'y' shares memory with input 'a'");
}

Test(check_io, an_output_around_an_input_is_refused) {
  const Tensor x = Floats({8});
  cr_expect_eq(Separate({Part(x, 3, 1), Floats({1})}, {x, Tensor()}).code(),
               Code::kInvalidArgument);
}

Test(check_io, an_input_behind_a_nested_one_is_seen) {
  const Tensor x = Floats({8});
  cr_expect_eq(Separate({Part(x, 5, 1), Part(x, 1, 1)}, {Part(x, 0, 7), Tensor()}).code(),
               Code::kInvalidArgument);
}

Test(check_io, two_outputs_in_one_place_are_refused) {
  const Tensor y = Floats({4});
  const Status status = Separate({Floats({1}), Floats({1})}, {y, y});
  cr_expect_neq(status.message().find("shares memory with output"), std::string::npos);
}

Test(check_io, empty_outputs_share_nothing) {
  const Tensor x = Floats({4});
  const Tensor empty = Tensor::View(DType::kF32, {0}, x.data<float>() + 1, nullptr);
  cr_expect(Separate({x, Floats({1})}, {empty, Tensor()}).ok());
}
