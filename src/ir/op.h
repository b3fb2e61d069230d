// The operator contract: everything that the stages of the library ask of an operator.
#ifndef INTMILL_IR_OP_H
#define INTMILL_IR_OP_H

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/cpu.h"
#include "base/status.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill {

class Kernel;  // kernels/kernel.h

// How a value lies in memory. Spatial operators work on channels-last (N, D1.., C) memory, while
// shapes stay in ONNX's order (N, C, D1..) everywhere.
enum class Layout { kPlain, kChannelsLast };

// What shape inference sees of a node, and where it writes. Inputs that are absent have no value.
class InferContext {
 public:
  InferContext(const Graph& graph, const Node& node, std::span<Value> outputs)
      : graph_(graph), node_(node), outputs_(outputs) {}

  const Node& node() const { return node_; }
  const Attributes& attrs() const { return node_.attrs; }
  int64_t input_count() const { return static_cast<int64_t>(node_.inputs.size()); }
  int64_t output_count() const { return static_cast<int64_t>(node_.outputs.size()); }
  bool has_input(int64_t i) const;
  DType dtype(int64_t i) const;             // kNone when unknown
  const Shape* shape(int64_t i) const;      // null when the rank is unknown
  const Tensor* constant(int64_t i) const;  // null when not a constant
  // An output whose shape is not known is set without one; the rank is then unknown downstream.
  void SetOutput(int64_t i, DType dtype, std::optional<Shape> shape);

 private:
  const Graph& graph_;
  const Node& node_;
  std::span<Value> outputs_;
};

// The reference: plain loops over row-major tensors. Inputs that are absent are null; outputs are
// allocated with the inferred types and shapes. Post-ops and qparams are not its business.
struct ReferenceArgs {
  const Node& node;
  std::span<const Tensor* const> inputs;
  std::span<Tensor> outputs;

  bool has(int64_t i) const {
    return i < static_cast<int64_t>(inputs.size()) && inputs[static_cast<size_t>(i)] != nullptr;
  }
  const Tensor& in(int64_t i) const { return *inputs[static_cast<size_t>(i)]; }
  Tensor& out(int64_t i) const { return outputs[static_cast<size_t>(i)]; }
};

// What a lowering knows of an operand. Shapes are static. `constant` is in plain layout.
struct Operand {
  DType dtype = DType::kNone;
  Shape shape;
  Layout layout = Layout::kPlain;
  const QParams* qparams = nullptr;  // an integer operand that stands for real numbers
  const Tensor* constant = nullptr;
  bool present = false;
};

struct LowerArgs {
  const Node& node;
  std::span<const Operand> inputs;
  std::span<const Operand> outputs;
  Isa isa = Isa::kBaseline;  // effective: what oneDNN will really use

  bool has(int64_t i) const {
    return i < static_cast<int64_t>(inputs.size()) && inputs[static_cast<size_t>(i)].present;
  }
  const Operand& in(int64_t i) const { return inputs[static_cast<size_t>(i)]; }
  const Operand& out(int64_t i) const { return outputs[static_cast<size_t>(i)]; }
};

// Which physical layouts an operator takes.
enum class LayoutRule {
  kPlain,    // everything row-major in ONNX's order
  kFollow,   // any: works through strides, its outputs take the layout of input 0 (elementwise,
             // concat, slices, reductions with kept dimensions...)
  kSpatial,  // input 0 and the outputs channels-last when their rank is 3, 4 or 5
};

// How an operator may be quantized; read by insert_qdq and by fold_qdq.
enum class QuantRule {
  kFloat,      // stays in float
  kWeighted,   // input 0 activations, input 1 constant weights, input 2 optional bias (Conv, Gemm)
  kAllInputs,  // every float input is an activation with its own scale (Add, Mul, MatMul of two)
  kUnary,      // one input, one output, elementwise: int8 to int8 through a 256-entry table
  kSameScale,  // inputs in `same_scale_inputs` and all float outputs share one scale and zero point
};

enum Trait : uint32_t {
  kNoTraits = 0,
  kElementwise = 1u << 0,  // output element i depends on the (broadcast) input elements i only
  kMovesData = 1u << 1,    // copies elements, computes nothing: any element type passes
  kAlias = 1u << 2,        // output is input 0's memory under another shape (Reshape, Identity...)
  kActivation = 1u << 3,   // unary, fusable into the producer as a post-op
  kShapeOnly = 1u << 4,    // reads the shape of input 0 and not its data (Shape)
  kCommutative = 1u << 5,
  kQuantize = 1u << 6,    // QuantizeLinear
  kDequantize = 1u << 7,  // DequantizeLinear
};

struct OpDef {
  std::string_view name;         // as in ONNX, e.g. "Conv"
  std::string_view domain = "";  // "" for ai.onnx; "intmill" for operators that passes create
  int64_t min_inputs = 1;
  int64_t max_inputs = 1;  // INT64_MAX: variadic
  int64_t min_outputs = 1;
  int64_t max_outputs = 1;
  uint32_t traits = kNoTraits;
  LayoutRule layout = LayoutRule::kPlain;

  QuantRule quant = QuantRule::kFloat;
  // kSameScale: a bit per input that carries the scale; variadic operators set all bits.
  uint64_t same_scale_inputs = 1;
  // kWeighted: the axis of input 1 that indexes output channels.
  int64_t (*weight_axis)(const Node& node, int64_t weight_rank) = nullptr;
  // Fixed output scale and zero point for u8 (numerics rule 9); null: measured.
  Result<QParams> (*fixed_output)(const Node& node, DType dtype) = nullptr;
  // Products: how many pairs of numbers one run multiplies and adds, padding included, for the
  // profile; null: too few to count. A double, because it may exceed 64 bits.
  double (*multiply_adds)(const LowerArgs& args) = nullptr;
  // kActivation: the post-op that does the same; refuses with a reason (not fusable as configured).
  Result<PostOp> (*post_op)(const Graph& graph, const Node& node) = nullptr;

  // Rewrites a node just read from ONNX `opset` into the newest form (attributes that became inputs
  // become constants), so that everything below knows one form. Null: nothing ever changed.
  Status (*upgrade)(Graph& graph, Node& node, int64_t opset) = nullptr;
  // Checks attributes, types and shapes, and sets the outputs' types and shapes.
  Status (*infer)(InferContext& context) = nullptr;
  // Computes the outputs by definition. Types that it does not know are kUnsupported by name.
  Status (*reference)(const ReferenceArgs& args) = nullptr;
  // A fast kernel for these operands, or kUnsupported with the reason; null: reference only.
  Result<std::unique_ptr<Kernel>> (*lower)(const LowerArgs& args) = nullptr;

  bool Has(Trait trait) const { return (traits & trait) != 0; }
};

// Null when unknown. Thread-safe, constant for the life of the process.
const OpDef* FindOp(std::string_view name, std::string_view domain = "");
// The generated table of src/ops; only op.cpp asks it.
std::span<const OpDef* const> AllOps();

}  // namespace intmill

#endif  // INTMILL_IR_OP_H
