// flatten_matmul: MatMul of a stack of matrices with constant weights, and the bias that is added
// to it, become Gemm of one tall matrix: the bias, an activation and a residual then ride on the
// product. The Reshapes around it cost nothing. For compiled graphs, where all dimensions are
// known. This file names the operators.
#include <algorithm>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"
#include "passes/post_op.h"

namespace intmill {
namespace {

class Flattener {
 public:
  explicit Flattener(Graph& graph) : graph_(graph), edges_(graph) {}

  Result<int64_t> Run() {
    int64_t flattened = 0;
    if (add_ == nullptr || matmul_ == nullptr || gemm_ == nullptr || reshape_ == nullptr) return 0;
    const int32_t nodes = edges_.size();
    for (int32_t i = 0; i < nodes; ++i) {
      if (edges_.IsDead(i) || edges_.node(i).op != add_ || edges_.node(i).inputs.size() != 2)
        continue;
      for (const size_t side : {0, 1}) {
        ASSIGN_OR_RETURN(const bool done, Flatten(i, side));
        if (!done) continue;
        ++flattened;
        break;
      }
    }
    edges_.Sweep();
    TRY(SortTopologically(graph_));
    return flattened;
  }

 private:
  // A constant, or integers or BF16 that stand for one.
  bool IsConstant(ValueId id) {
    if (graph_.ConstantOf(id) != nullptr) return true;
    const int32_t producer = edges_.Producer(id);
    if (producer == Uses::kNone) return false;
    const Node& maker = edges_.node(producer);
    if (!maker.op->Has(kDequantize) && !IsCast(graph_, maker, DType::kBf16, DType::kF32))
      return false;
    return std::ranges::all_of(maker.inputs, [&](ValueId input) {
      return input == kNoValue || graph_.ConstantOf(input) != nullptr;
    });
  }

  // The MatMul whose result the Add reads at `side`, when the pair can become a Gemm.
  int32_t FindProduct(int32_t add, size_t side) {
    const ValueId product = edges_.node(add).inputs[side];
    const ValueId bias = edges_.node(add).inputs[1 - side];
    const int32_t index = edges_.Producer(product);
    if (index == Uses::kNone || edges_.SoleReader(product) != add) return Uses::kNone;
    const Node& matmul = edges_.node(index);
    if (matmul.op != matmul_ || !matmul.post_ops.empty() || !IsConstant(matmul.inputs[1]))
      return Uses::kNone;
    const std::optional<Shape>& a = graph_.value(matmul.inputs[0]).shape;
    const std::optional<Shape>& b = graph_.value(matmul.inputs[1]).shape;
    const Tensor* constant = graph_.ConstantOf(bias);
    if (!a || !b || a->size() < 3 || b->size() != 2 || !IsStatic(*a) || !IsStatic(*b) ||
        NumElements(*a) == 0 || constant == nullptr || constant->dtype() != DType::kF32 ||
        constant->rank() < 1 || constant->rank() > static_cast<int64_t>(a->size()) ||
        constant->elements() != (*b)[1] || constant->shape().back() != (*b)[1])
      return Uses::kNone;
    return index;
  }

  Result<bool> Flatten(int32_t add, size_t side) {
    const int32_t index = FindProduct(add, side);
    if (index == Uses::kNone) return false;
    const Node matmul = edges_.node(index);
    const Node sum = edges_.node(add);
    const Shape a = *graph_.value(matmul.inputs[0]).shape;
    const int64_t depth = a.back();
    const int64_t rows = NumElements(a) / depth;
    const int64_t columns = graph_.value(matmul.inputs[1]).shape->back();
    Shape shape = a;
    shape.back() = columns;

    ASSIGN_OR_RETURN(Tensor bias, graph_.ConstantOf(sum.inputs[1 - side])->Reshaped({columns}));
    const ValueId bias_id =
        edges_.AddValue(graph_.value(sum.inputs[1 - side]).name, DType::kF32, Shape{columns});
    graph_.value(bias_id).constant = std::move(bias);
    ASSIGN_OR_RETURN(const ValueId rows_in, Reshape(matmul.inputs[0], {rows, depth}, kNoValue));
    const ValueId product =
        edges_.AddValue(Cat(matmul.name, ".rows"), DType::kF32, Shape{rows, columns});
    edges_.Kill(add);
    // In the place of the MatMul, whose name people know.
    edges_.node(index).op = gemm_;
    edges_.node(index).inputs.push_back(kNoValue);
    edges_.SetInput(index, 0, rows_in);
    edges_.SetInput(index, 2, bias_id);
    edges_.node(index).outputs = {product};
    edges_.node(index).post_ops = sum.post_ops;
    edges_.SetProducer(product, index);
    ASSIGN_OR_RETURN(const ValueId out,
                     TakeResidual(index, TakeActivation(index, sum.outputs[0]), shape));
    TRY(Reshape(product, shape, out).status());
    return true;
  }

  // The activation that alone reads `out` becomes a post-op; what it writes is returned.
  ValueId TakeActivation(int32_t gemm, ValueId out) {
    const int32_t reader = edges_.SoleReader(out);
    if (reader == Uses::kNone) return out;
    const Node& activation = edges_.node(reader);
    if (!activation.op->Has(kActivation) || activation.op->post_op == nullptr ||
        activation.inputs[0] != out)
      return out;
    const Result<PostOp> post_op = activation.op->post_op(graph_, activation);
    if (!post_op.ok() || !TakesPostOp(*gemm_, *post_op)) return out;
    edges_.node(gemm).post_ops.push_back(*post_op);
    edges_.Kill(reader);
    return activation.outputs[0];
  }

  // The Add of another tensor that alone reads `out` becomes a post-op; what it writes is returned.
  Result<ValueId> TakeResidual(int32_t gemm, ValueId out, const Shape& shape) {
    const int32_t reader = edges_.SoleReader(out);
    if (reader == Uses::kNone || edges_.node(reader).op != add_) return out;
    const Node sum = edges_.node(reader);
    const ValueId other = sum.inputs[sum.inputs[0] == out ? 1 : 0];
    const Value& value = graph_.value(other);
    if (other == out || value.constant || value.dtype != DType::kF32 || value.shape != shape)
      return out;
    const int64_t columns = shape.back();
    ASSIGN_OR_RETURN(const ValueId rows,
                     Reshape(other, {NumElements(shape) / columns, columns}, kNoValue));
    Node& node = edges_.node(gemm);
    const size_t at = node.inputs.size();
    node.inputs.push_back(kNoValue);
    node.post_ops.push_back({.kind = PostOp::Kind::kAdd, .input = static_cast<int64_t>(at)});
    node.post_ops.insert(node.post_ops.end(), sum.post_ops.begin(), sum.post_ops.end());
    edges_.SetInput(gemm, at, rows);
    edges_.Kill(reader);
    return sum.outputs[0];
  }

  // `from` under another shape, as `to` or as a new value.
  Result<ValueId> Reshape(ValueId from, const Shape& shape, ValueId to) {
    // What another Reshape made has this shape before it, maybe.
    for (int32_t p = edges_.Producer(from); p != Uses::kNone && edges_.node(p).op == reshape_;
         p = edges_.Producer(from))
      from = edges_.node(p).inputs[0];
    if (to == kNoValue && graph_.value(from).shape == shape) return from;
    ASSIGN_OR_RETURN(Tensor dims, Tensor::Of(std::span<const int64_t>(shape)));
    const std::string name = graph_.value(from).name;
    const ValueId dims_id = edges_.AddValue(Cat(name, ".shape"), DType::kS64, dims.shape());
    graph_.value(dims_id).constant = std::move(dims);
    if (to == kNoValue) to = edges_.AddValue(Cat(name, ".rows"), DType::kF32, shape);
    Node node{.name = Cat(name, ".reshape"), .op = reshape_};
    node.inputs = {from, dims_id};
    node.outputs = {to};
    edges_.Append(std::move(node));
    return to;
  }

  Graph& graph_;
  Edges edges_;
  const OpDef* const add_ = FindOp("Add");
  const OpDef* const matmul_ = FindOp("MatMul");
  const OpDef* const gemm_ = FindOp("Gemm");
  const OpDef* const reshape_ = FindOp("Reshape");
};

}  // namespace

Result<int64_t> FlattenMatMul(Graph& graph, PassContext&) { return Flattener(graph).Run(); }

}  // namespace intmill
