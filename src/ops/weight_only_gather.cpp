// WeightOnlyGather (ours, made by fold_weight_only): rows of (w - z) s by indices, where the
// constant matrix w is in 4 or 8 bits, with scales s and zero points z for the whole of it, for
// each row, or (attribute 'block_size') for each block of a row.
#include "ops/common/post_ops.h"
#include "ops/common/weight_only.h"

namespace intmill::ops {
namespace {

enum Inputs : int64_t { kWeights = 0, kScale = 1, kIndices = 2, kZeroPoint = 3 };

Status Infer(InferContext& context) {
  TRY(CheckWeightOnly(context, kScale, kZeroPoint));
  const DType index_type = context.dtype(kIndices);
  if (index_type != DType::kNone && index_type != DType::kS32 && index_type != DType::kS64)
    return Error(Code::kInvalidArgument, "indices are ", DTypeName(index_type));
  const Shape* w = context.shape(kWeights);
  const Shape* indices = context.shape(kIndices);
  std::optional<Shape> out;
  if (w != nullptr && indices != nullptr) {
    out = *indices;
    out->push_back((*w)[1]);
  }
  context.SetOutput(0, DType::kF32, std::move(out));
  return Ok();
}

Result<native::WeightOnlyGather> Read(const Node& node, const Tensor& weights, const Tensor& scale,
                                      const Tensor* zero_point) {
  ASSIGN_OR_RETURN(const int64_t block, node.attrs.Int("block_size", 0));
  ASSIGN_OR_RETURN(BlockScales s, ReadBlockScales(scale, zero_point, block, weights.dim(0),
                                                  weights.dim(1), true, false));
  return native::WeightOnlyGather{.weights = weights,
                                  .block = s.block,
                                  .scales = std::move(s.scales),
                                  .zero_points = std::move(s.zero_points)};
}

Status Reference(const ReferenceArgs& args) {
  const Tensor& w = args.in(kWeights);
  ASSIGN_OR_RETURN(
      const native::WeightOnlyGather g,
      Read(args.node, w, args.in(kScale), args.has(kZeroPoint) ? &args.in(kZeroPoint) : nullptr));
  ASSIGN_OR_RETURN(const std::vector<int64_t> integers, ToInts(w));
  ASSIGN_OR_RETURN(const std::vector<int64_t> indices, ToInts(args.in(kIndices)));
  const int64_t rows = w.dim(0);
  const int64_t columns = w.dim(1);
  const int64_t blocks = (columns + g.block - 1) / g.block;
  float* out = args.out(0).mutable_data<float>();
  for (int64_t index : indices) {
    if (index < -rows || index >= rows)
      return Error(Code::kInvalidArgument, "index ", index, " is outside an axis of ", rows);
    if (index < 0) index += rows;
    for (int64_t c = 0; c < columns; ++c) {
      const auto at = static_cast<size_t>(index * blocks + c / g.block);
      const int64_t zero_point = g.zero_points.empty() ? 0 : g.zero_points[at];
      *out++ = static_cast<float>(integers[static_cast<size_t>(index * columns + c)] - zero_point) *
               g.scales[at];
    }
  }
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  for (const int64_t i : {kWeights, kScale, kZeroPoint})
    if (args.has(i) && args.in(i).constant == nullptr)
      return Error(Code::kUnsupported, "weights, scales or zero points that are not constant");
  ASSIGN_OR_RETURN(native::WeightOnlyGather g,
                   Read(args.node, *args.in(kWeights).constant, *args.in(kScale).constant,
                        args.has(kZeroPoint) ? args.in(kZeroPoint).constant : nullptr));
  g.indices = NumElements(args.in(kIndices).shape);
  g.long_indices = args.in(kIndices).dtype == DType::kS64;
  g.indices_input = kIndices;
  return native::MakeWeightOnlyGather(std::move(g));
}

constexpr OpDef kOps[] = {{
    .name = "WeightOnlyGather",
    .domain = "intmill",
    .min_inputs = 3,
    .max_inputs = 4,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> WeightOnlyGatherOps() { return kOps; }

}  // namespace intmill::ops
