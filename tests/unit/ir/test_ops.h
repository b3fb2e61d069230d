// Operators made for these tests: Negate (one input) and Total (any number of inputs).
#ifndef INTMILL_TESTS_UNIT_IR_TEST_OPS_H
#define INTMILL_TESTS_UNIT_IR_TEST_OPS_H

#include <string>

#include "ir/graph.h"
#include "ir/op.h"

namespace intmill {

inline Status InferLikeInput(InferContext& context) {
  if (context.dtype(0) == DType::kBool) return Error(Code::kUnsupported, "bool has no sum");
  std::optional<Shape> shape;
  if (context.shape(0) != nullptr) shape = *context.shape(0);
  context.SetOutput(0, context.dtype(0), shape);
  return Ok();
}

inline Status NegateReference(const ReferenceArgs& args) {
  for (int64_t i = 0; i < args.in(0).elements(); ++i)
    args.out(0).mutable_data<float>()[i] = -args.in(0).data<float>()[i];
  return Ok();
}

inline const OpDef kNegate{.name = "Negate", .infer = InferLikeInput, .reference = NegateReference};
inline const OpDef kTotal{.name = "Total",
                          .min_inputs = 1,
                          .max_inputs = INT64_MAX,
                          .min_outputs = 1,
                          .max_outputs = 2,
                          .infer = InferLikeInput};

// x -> a -> b, with an unused node beside.
struct Chain {
  Graph graph;
  ValueId x = graph.AddValue("x", DType::kF32, Shape{2, kDynamic});
  ValueId a = graph.AddValue("a");
  ValueId b = graph.AddValue("b");

  Chain() {
    graph.inputs = {x};
    graph.AddNode("first", &kNegate, {x}, {a});
    graph.AddNode("second", &kNegate, {a}, {b});
    graph.outputs = {b};
  }
};

}  // namespace intmill

#endif  // INTMILL_TESTS_UNIT_IR_TEST_OPS_H
