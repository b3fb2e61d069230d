// fold_weight_only: DequantizeLinear of a constant -> MatMul, Gemm or Gather in floats becomes one
// operator that reads the integers. Activations stay floats. This file names the operators.
#include <algorithm>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

// A matrix behind a DequantizeLinear whose parameters are constants.
struct Weights {
  ValueId integers = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
  int64_t block = 0;
  int64_t axis = 0;  // of the blocks, or of the scales where there are several
  int64_t scales = 1;
};

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), edges_(graph) {}

  int64_t Run() {
    int64_t folded = 0;
    for (int32_t i = 0; i < edges_.size(); ++i)
      if (FoldProduct(i) || FoldGather(i)) ++folded;
    return folded;
  }

 private:
  const Node& node(int32_t index) { return edges_.node(index); }

  std::optional<Weights> Find(ValueId id) {
    const int32_t producer = edges_.Producer(id);
    if (producer == Uses::kNone || !node(producer).op->Has(kDequantize)) return {};
    const Node& dequantize = node(producer);
    Weights w{.integers = dequantize.inputs[0], .scale = dequantize.inputs[1]};
    if (dequantize.inputs.size() > 2) w.zero_point = dequantize.inputs[2];
    const Tensor* q = graph_.ConstantOf(w.integers);
    const Tensor* scale = graph_.ConstantOf(w.scale);
    const bool is_constant = q != nullptr && scale != nullptr &&
                             (w.zero_point == kNoValue || graph_.ConstantOf(w.zero_point));
    if (!is_constant || q->rank() != 2 || q->elements() == 0 || scale->dtype() != DType::kF32 ||
        BitsOf(q->dtype()) > 8 || q->dtype() == DType::kBool)
      return {};
    const Result<int64_t> axis = dequantize.attrs.Int("axis", 1);
    const Result<int64_t> block = dequantize.attrs.Int("block_size", 0);
    if (!axis.ok() || !block.ok()) return {};
    w.block = *block;
    w.axis = *axis < 0 ? *axis + 2 : *axis;
    w.scales = scale->elements();
    return w;
  }

  // One scale, or one for each index of `line_axis`, or blocks along the other axis.
  static bool ScalesFit(const Weights& w, int64_t line_axis) {
    if (w.block > 0) return w.axis == 1 - line_axis;
    return w.scales == 1 || w.axis == line_axis;
  }

  static bool IsPlainGemm(const Node& gemm) {
    const auto is = [&](const char* name, float wanted) {
      const Result<float> value = gemm.attrs.Float(name, 1);
      return value.ok() && *value == wanted;
    };
    const Result<int64_t> trans_a = gemm.attrs.Int("transA", 0);
    return is("alpha", 1) && is("beta", 1) && trans_a.ok() && *trans_a == 0;
  }

  bool IsBias(ValueId id, int64_t columns) const {
    const Tensor* c = graph_.ConstantOf(id);
    return id == kNoValue || (c != nullptr && c->dtype() == DType::kF32 &&
                              c->elements() == columns && c->shape().back() == columns);
  }

  bool FoldProduct(int32_t index) {
    const Node& product = node(index);
    const bool is_gemm = product.op == gemm_;
    if (product.op != matmul_ && !(is_gemm && IsPlainGemm(product))) return false;
    const std::optional<Weights> w = Find(product.inputs[1]);
    const Value& a = graph_.value(product.inputs[0]);
    if (!w || a.constant || a.dtype != DType::kF32) return false;
    const int64_t line_axis = product.op->weight_axis(product, 2);
    const Tensor& q = *graph_.ConstantOf(w->integers);
    const int64_t depth = q.dim(1 - line_axis);
    const bool blocks_fit = w->block == 0 || w->block % 8 == 0 || w->block >= depth;
    if (!ScalesFit(*w, line_axis) || !blocks_fit) return false;
    const size_t own = is_gemm ? 3 : 2;  // inputs; what follows is added by post-ops
    const ValueId bias = is_gemm && product.inputs.size() > 2 ? product.inputs[2] : kNoValue;
    if (!IsBias(bias, q.dim(line_axis))) return false;

    Node& folded = edges_.node(index);
    std::vector<ValueId> inputs = {folded.inputs[0], w->integers, w->scale, w->zero_point, bias};
    for (size_t i = own; i < folded.inputs.size(); ++i) inputs.push_back(folded.inputs[i]);
    for (PostOp& op : folded.post_ops)
      if (op.kind == PostOp::Kind::kAdd) op.input += static_cast<int64_t>(5 - own);
    folded.op = weight_only_;
    folded.attrs = {};
    folded.attrs.Set("transB", int64_t{line_axis == 0});
    folded.attrs.Set("block_size", w->block);
    folded.inputs = std::move(inputs);
    return true;
  }

  bool FoldGather(int32_t index) {
    const Node& gather = node(index);
    if (gather.op != gather_ || !gather.post_ops.empty()) return false;
    const Result<int64_t> axis = gather.attrs.Int("axis", 0);
    const std::optional<Weights> w = Find(gather.inputs[0]);
    if (!w || !axis.ok() || (*axis != 0 && *axis != -2) || !ScalesFit(*w, 0)) return false;
    Node& folded = edges_.node(index);
    folded.op = weight_only_gather_;
    folded.attrs = {};
    folded.attrs.Set("block_size", w->block);
    folded.inputs = {w->integers, w->scale, folded.inputs[1], w->zero_point};
    return true;
  }

  Graph& graph_;
  Edges edges_;
  const OpDef* const matmul_ = FindOp("MatMul");
  const OpDef* const gemm_ = FindOp("Gemm");
  const OpDef* const gather_ = FindOp("Gather");
  const OpDef* const weight_only_ = FindOp("WeightOnlyMatMul", "intmill");
  const OpDef* const weight_only_gather_ = FindOp("WeightOnlyGather", "intmill");
};

}  // namespace

Result<int64_t> FoldWeightOnly(Graph& graph, PassContext&) { return Folder(graph).Run(); }

}  // namespace intmill
