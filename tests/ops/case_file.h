// The plain text test cases of operators: what tests/ops/*.case may say, and how it is read.
//
//   # A comment. Indentation is free; one statement a line.
//   case bounds_are_inputs              begins a case; a name that reads as a sentence
//   op Clip                             name, and the domain when it is not ai.onnx
//   opset 6                             of the file that the node came from; 22 when not said
//   attr axes [0 -1]                    int 3, float 3.0, "text", [1 2], [1.0 2.0], ["a" "b"],
//                                       or a tensor: f32 2x2 = 1 2 3 4
//   input f32 2x3 = 1 2 3               known when the model runs
//                 | 4 5 6               a line that begins with | goes on with the one above
//   const s64 scalar = 7                a constant of the model
//   input none                          an optional input that is not there
//   output f32 2x3 = 1 2 3 4 5 6        literal; or: output f32 2x3 reference; or: output none
//   tolerance 1e-6 REASON               reference against literal; 0 (same bits) when not said
//   lowered_tolerance 1e-6 REASON       kernel against reference; 0 when not said
//   quantized_steps 1 REASON            int8 kernel against the float reference; the default is 0,
//                                       and 1 for weighted operators
//   reference_only REASON               no kernel is expected for these operands
//   float_only REASON                   the numbers have no quantized form: integers are not run
//   own_scales REASON                   int8 inputs and outputs that could share a scale do not
//   post_op Relu                        fused into the node: Relu, Clip 0.0 6.0, LeakyRelu 0.1 ...
//   error kUnsupported block_size       the node is refused: the code, and a part of the message
//
// Tolerances are of |a - b| <= tolerance * max(1, |b|). Values of a tensor:
//   = 1 -2.5 inf nan true INT64_MAX     as many as there are elements
//   all 0.5                             the same everywhere
//   range 0 1                           first value and step
//   random seed=7 normal                standard normal (floats)
//   random seed=7 uniform -3 3          both ends may occur in integers
#ifndef INTMILL_TESTS_OPS_CASE_FILE_H
#define INTMILL_TESTS_OPS_CASE_FILE_H

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill::test {

struct CaseInput {
  bool present = false;
  bool constant = false;
  Tensor tensor;
};

struct CaseOutput {
  bool present = false;
  DType dtype = DType::kNone;
  Shape shape;
  std::optional<Tensor> expected;  // absent: the reference's own result
};

struct ExpectedError {
  std::string code;  // "kUnsupported"
  std::string text;
};

struct OpCase {
  std::string name;
  int64_t line = 0;
  std::string op;
  std::string domain;
  int64_t opset = 22;
  Attributes attrs;
  std::vector<CaseInput> inputs;
  std::vector<CaseOutput> outputs;
  std::vector<PostOp> post_ops;
  double tolerance = 0;
  double lowered_tolerance = 0;
  std::optional<double> quantized_steps;
  bool reference_only = false;
  bool float_only = false;
  bool own_scales = false;
  std::optional<ExpectedError> error;
};

// Errors name the file and the line.
Result<std::vector<OpCase>> ReadCases(const std::string& path);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_OPS_CASE_FILE_H
