// fuse_bias: a constant that is added to each output channel of a weighted node becomes its bias,
// and MatMul of two matrices with such an Add becomes Gemm. This file names the three.
#include <algorithm>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"
#include "passes/weighted.h"

namespace intmill {
namespace {

// The constant as one number a channel, where it is stretched along all axes but the channels':
// axis 1 of an image or a matrix. Nothing when it is of another shape.
std::optional<std::vector<double>> PerChannel(const Tensor& constant, int64_t rank,
                                              int64_t channels) {
  if (constant.dtype() != DType::kF32 || constant.rank() > rank) return {};
  const int64_t missing = rank - constant.rank();
  for (int64_t d = 0; d < constant.rank(); ++d) {
    const bool is_channel_axis = d + missing == 1;
    if (constant.dim(d) != 1 && !(is_channel_axis && constant.dim(d) == channels)) return {};
  }
  std::vector<double> values(static_cast<size_t>(channels), 0);
  for (size_t c = 0; c < values.size(); ++c)
    values[c] = constant.data<float>()[constant.elements() == 1 ? 0 : c];
  return values;
}

class BiasFuser {
 public:
  explicit BiasFuser(Graph& graph) : graph_(graph), edges_(graph) {}

  Result<int64_t> Run() {
    int64_t fused = 0;
    for (int32_t i = 0; i < static_cast<int32_t>(graph_.nodes.size()); ++i) {
      if (edges_.node(i).op != add_ || add_ == nullptr) continue;
      for (const size_t side : {0, 1}) {
        ASSIGN_OR_RETURN(const bool done, Fuse(i, side));
        if (!done) continue;
        ++fused;
        break;
      }
    }
    edges_.Sweep();
    return fused;
  }

 private:
  // `side`: the input of the Add that the weighted node makes; the other one is the constant.
  Result<bool> Fuse(int32_t index, size_t side) {
    const Node& add = edges_.node(index);
    const ValueId product = add.inputs[side];
    const Tensor* constant = graph_.ConstantOf(add.inputs[1 - side]);
    const int32_t producer = edges_.Producer(product);
    const std::optional<Shape>& shape = graph_.value(product).shape;
    if (constant == nullptr || !shape || producer == Uses::kNone ||
        edges_.SoleReader(product) != index)
      return false;
    Node& weighted = edges_.node(producer);
    const auto rank = static_cast<int64_t>(shape->size());
    const bool done = weighted.op == matmul_ && matmul_ != nullptr
                          ? FuseMatMul(weighted, *constant, add.inputs[1 - side])
                          : false;
    if (!done) {
      const std::optional<int64_t> channels = AffineChannels(graph_, weighted);
      if (!channels || rank < 2) return false;
      std::optional<std::vector<double>> shift = PerChannel(*constant, rank, *channels);
      if (!shift) return false;
      TRY(ApplyAffine(graph_, weighted, {.scale = {}, .shift = *std::move(shift)}));
    }
    weighted.outputs[0] = add.outputs[0];
    edges_.SetProducer(add.outputs[0], producer);
    edges_.Kill(index);
    return true;
  }

  bool FuseMatMul(Node& node, const Tensor& constant, ValueId constant_id) {
    const std::optional<Shape>& a = graph_.value(node.inputs[0]).shape;
    const Tensor* b = graph_.ConstantOf(node.inputs[1]);
    if (gemm_ == nullptr || !a || a->size() != 2 || b == nullptr || b->rank() != 2 ||
        b->dtype() != DType::kF32 || !node.post_ops.empty() || !PerChannel(constant, 2, b->dim(1)))
      return false;
    node.op = gemm_;
    node.inputs.push_back(constant_id);
    return true;
  }

  Graph& graph_;
  Edges edges_;
  const OpDef* const add_ = FindOp("Add");
  const OpDef* const matmul_ = FindOp("MatMul");
  const OpDef* const gemm_ = FindOp("Gemm");
};

}  // namespace

Result<int64_t> FuseBias(Graph& graph, PassContext&) { return BiasFuser(graph).Run(); }

}  // namespace intmill
