// fuse_quantize: LayerNormalization -> QuantizeLinear becomes QuantizedLayerNormalization, which
// writes the integers while it has the floats at hand, and the floats where others read them. This
// file names the operators.
#include <cmath>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

class QuantizeFuser {
 public:
  explicit QuantizeFuser(Graph& graph) : edges_(graph) {}

  int64_t Run() {
    int64_t fused = 0;
    for (int32_t i = 0; i < edges_.size(); ++i)
      if (!edges_.IsDead(i) && Fuse(i)) ++fused;
    edges_.Sweep();
    return fused;
  }

 private:
  bool Fuse(int32_t quantize) {
    const std::optional<QuantizedValue> q = edges_.QuantizedBy(quantize);
    if (!q || !IsActivation(*q) || !std::isfinite(1 / q->qparams->scales[0])) return false;
    const ValueId floats = edges_.node(quantize).inputs[0];
    const int32_t producer = edges_.Producer(floats);
    if (producer == Uses::kNone) return false;
    Node& norm = edges_.node(producer);
    if (norm.op != norm_ || norm.outputs.size() != 1 || !norm.post_ops.empty()) return false;
    const bool only_integers = edges_.SoleReader(floats) == quantize;
    norm.op = quantized_;
    norm.outputs = {q->id};
    if (!only_integers) norm.outputs.push_back(floats);
    norm.attrs.Set("out_scale", q->qparams->scales[0]);
    norm.attrs.Set("out_zero_point", int64_t{q->qparams->zero_points[0]});
    norm.attrs.Set("out_is_signed", int64_t{q->qparams->dtype == DType::kS8 ? 1 : 0});
    edges_.Kill(quantize);
    edges_.SetProducer(q->id, producer);
    return true;
  }

  Edges edges_;
  const OpDef* const norm_ = FindOp("LayerNormalization");
  const OpDef* const quantized_ = FindOp("QuantizedLayerNormalization", "intmill");
};

}  // namespace

Result<int64_t> FuseQuantize(Graph& graph, PassContext&) { return QuantizeFuser(graph).Run(); }

}  // namespace intmill
