// fuse_pad: zeros that Pad puts around an image become the pads of the Conv or AveragePool that
// reads it. In compiled graphs the zeros are zero points. This file names the three.
#include <algorithm>
#include <optional>
#include <vector>

#include "base/checked.h"
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

using Ints = std::vector<int64_t>;

std::optional<Ints> KnownInts(const Graph& graph, ValueId id) {
  const Tensor* constant = graph.ConstantOf(id);
  if (constant == nullptr || constant->dtype() == DType::kF32) return {};
  Result<Ints> values = ToInts(*constant);
  if (!values.ok()) return {};
  return *std::move(values);
}

ValueId InputOrNone(const Node& node, size_t i) {
  return i < node.inputs.size() ? node.inputs[i] : kNoValue;
}

// Whether what is put around the image stands for zero.
bool PadsWithZero(const Graph& graph, const Node& pad) {
  const Result<std::string> mode = pad.attrs.String("mode", "constant");
  if (!mode.ok() || *mode != "constant") return false;
  if (InputOrNone(pad, 2) == kNoValue) return true;
  const Tensor* fill = graph.ConstantOf(pad.inputs[2]);
  if (fill == nullptr || fill->elements() != 1) return false;
  if (fill->dtype() == DType::kF32) return fill->data<float>()[0] == 0;
  const QParamsPtr& q = graph.value(pad.outputs[0]).qparams;
  const Result<Ints> value = ToInts(*fill);
  return q != nullptr && value.ok() && (*value)[0] == q->zero_points[0];
}

// Begins, then ends, of the spatial axes alone; nothing where the pads are unknown, negative, or
// reach the batch or the channels.
std::optional<Ints> SpatialPads(const Graph& graph, const Node& pad) {
  const std::optional<Shape>& shape = graph.value(pad.inputs[0]).shape;
  const std::optional<Ints> pads = KnownInts(graph, pad.inputs[1]);
  if (!shape || shape->size() < 3 || !pads || !PadsWithZero(graph, pad)) return {};
  const auto rank = static_cast<int64_t>(shape->size());
  Ints axes;
  for (int64_t d = 0; d < rank; ++d) axes.push_back(d);
  if (InputOrNone(pad, 3) != kNoValue) {
    const std::optional<Ints> given = KnownInts(graph, pad.inputs[3]);
    if (!given) return {};
    axes = *given;
  }
  if (pads->size() != 2 * axes.size()) return {};
  Ints all(static_cast<size_t>(2 * rank), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const Result<int64_t> axis = NormalizeAxis(axes[i], rank);
    if (!axis.ok()) return {};
    all[static_cast<size_t>(*axis)] = (*pads)[i];
    all[static_cast<size_t>(*axis + rank)] = (*pads)[i + axes.size()];
  }
  if (std::ranges::any_of(all, [](int64_t p) { return p < 0; })) return {};
  const auto r = static_cast<size_t>(rank);
  if (all[0] != 0 || all[1] != 0 || all[r] != 0 || all[r + 1] != 0) return {};
  Ints spatial(all.begin() + 2, all.begin() + rank);
  spatial.insert(spatial.end(), all.begin() + rank + 2, all.end());
  return spatial;
}

bool HasExplicitPads(const Node& node) {
  const Result<std::string> auto_pad = node.attrs.String("auto_pad", "NOTSET");
  return auto_pad.ok() && *auto_pad == "NOTSET";
}

// Its own zeros were not counted, so there must be none; from here on they are counted.
bool PrepareAveragePool(const Node& node, const Ints& own, const Ints& added) {
  const Result<int64_t> counts = node.attrs.Int("count_include_pad", 0);
  const Result<int64_t> ceil = node.attrs.Int("ceil_mode", 0);
  const Result<Ints> kernel = node.attrs.Ints("kernel_shape", {});
  if (!counts.ok() || !ceil.ok() || *ceil != 0 || !kernel.ok()) return false;
  if (*counts == 0 && std::ranges::any_of(own, [](int64_t p) { return p != 0; })) return false;
  // A window must not lie in the padding alone.
  for (size_t i = 0; i < added.size(); ++i)
    if (kernel->empty() || own[i] + added[i] >= (*kernel)[i % kernel->size()]) return false;
  return true;
}

bool Fuse(const Graph& graph, const Node& pad, Node& reader, bool is_pool) {
  const std::optional<Ints> added = SpatialPads(graph, pad);
  if (!added || !HasExplicitPads(reader)) return false;
  Result<Ints> own = reader.attrs.Ints("pads", Ints(added->size(), 0));
  if (!own.ok() || own->size() != added->size()) return false;
  if (is_pool && !PrepareAveragePool(reader, *own, *added)) return false;
  for (size_t i = 0; i < added->size(); ++i)
    if (!AddFits((*own)[i], (*added)[i], &(*own)[i])) return false;
  reader.attrs.Set("pads", *std::move(own));
  if (is_pool) reader.attrs.Set("count_include_pad", int64_t{1});
  reader.inputs[0] = pad.inputs[0];
  return true;
}

}  // namespace

Result<int64_t> FusePad(Graph& graph, PassContext&) {
  Edges edges(graph);
  int64_t fused = 0;
  const OpDef* const pad = FindOp("Pad");
  const OpDef* const conv = FindOp("Conv");
  const OpDef* const pool = FindOp("AveragePool");
  for (Node& node : graph.nodes) {
    if (node.op != conv && node.op != pool) continue;
    const int32_t producer = edges.Producer(node.inputs[0]);
    if (producer == Uses::kNone || edges.node(producer).op != pad) continue;
    if (Fuse(graph, edges.node(producer), node, node.op == pool)) ++fused;
  }
  return fused;
}

}  // namespace intmill
