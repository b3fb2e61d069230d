// WeightOnlyMatMul (ours, made by fold_weight_only): y = a x ((w - z) s) + bias, where a is f32 and
// the constant matrix w is in 4 or 8 bits, with scales s and zero points z for the whole of it, for
// each column, or (attribute 'block_size') for each block of a column.
#include "base/parallel.h"
#include "kernels/matmul.h"
#include "ops/common/weight_only.h"
#include "ops/common/weighted.h"

namespace intmill::ops {
namespace {

enum Inputs : int64_t { kA = 0, kWeights = 1, kScale = 2, kZeroPoint = 3, kBias = 4 };

bool IsTransposed(const Node& node) {
  const Result<int64_t> trans_b = node.attrs.Int("transB", 0);
  return trans_b.ok() && *trans_b != 0;
}

int64_t WeightAxis(const Node& node, int64_t) { return IsTransposed(node) ? 0 : 1; }

Result<native::WeightOnlyMatrix> ReadMatrix(const Node& node, const Tensor& weights,
                                            const Tensor& scale, const Tensor* zero_point) {
  native::WeightOnlyMatrix m{.weights = weights, .is_transposed = IsTransposed(node)};
  m.depth = weights.dim(m.is_transposed ? 1 : 0);
  m.columns = weights.dim(m.is_transposed ? 0 : 1);
  ASSIGN_OR_RETURN(const int64_t block, node.attrs.Int("block_size", 0));
  ASSIGN_OR_RETURN(BlockScales s, ReadBlockScales(scale, zero_point, block, m.columns, m.depth,
                                                  m.is_transposed, true));
  m.block = s.block;
  m.scales = std::move(s.scales);
  m.zero_points = std::move(s.zero_points);
  return m;
}

Status Infer(InferContext& context) {
  TRY(CheckWeightOnly(context, kScale, kZeroPoint));
  for (const int64_t i : {kA, kBias})
    if (context.has_input(i) && context.dtype(i) != DType::kNone && context.dtype(i) != DType::kF32)
      return Error(Code::kUnsupported, "an operand of type ", DTypeName(context.dtype(i)));
  const Shape* a = context.shape(kA);
  const Shape* w = context.shape(kWeights);
  std::optional<Shape> out;
  if (a != nullptr && w != nullptr) {
    if (a->empty()) return Error(Code::kShape, "a scalar operand, wanted 1-D or more");
    const bool transposed = IsTransposed(context.node());
    if (a->back() != (*w)[transposed ? 1 : 0] && a->back() != kDynamic)
      return Error(Code::kShape, "a is ", ToString(*a), ", the weights are ", ToString(*w));
    out = *a;
    out->back() = (*w)[transposed ? 0 : 1];
    const Shape* bias = context.has_input(kBias) ? context.shape(kBias) : nullptr;
    if (bias != nullptr && IsStatic(*bias) && NumElements(*bias) != out->back())
      return Error(Code::kShape, "the bias is ", ToString(*bias), ", the weights are ",
                   ToString(*w));
  }
  context.SetOutput(0, DType::kF32, std::move(out));
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const native::WeightOnlyMatrix m,
                   ReadMatrix(args.node, args.in(kWeights), args.in(kScale),
                              args.has(kZeroPoint) ? &args.in(kZeroPoint) : nullptr));
  ASSIGN_OR_RETURN(const Tensor real, native::Widened(m, false));
  const float* a = args.in(kA).data<float>();
  const float* w = real.data<float>();
  const float* bias = args.has(kBias) ? args.in(kBias).data<float>() : nullptr;
  ParallelFor(args.out(0).elements(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* row = a + i / m.columns * m.depth;
      const int64_t n = i % m.columns;
      double sum = bias != nullptr ? double{bias[n]} : 0;
      for (int64_t k = 0; k < m.depth; ++k) sum += double{row[k]} * double{w[k * m.columns + n]};
      args.out(0).mutable_data<float>()[i] = static_cast<float>(sum);
    }
  });
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  if (args.in(kA).dtype != DType::kF32)
    return Error(Code::kUnsupported, "an operand of type ", DTypeName(args.in(kA).dtype));
  if (args.in(kWeights).constant == nullptr || args.in(kScale).constant == nullptr ||
      (args.has(kZeroPoint) && args.in(kZeroPoint).constant == nullptr))
    return Error(Code::kUnsupported, "weights, scales or zero points that are not constant");
  native::WeightOnlyProduct p;
  ASSIGN_OR_RETURN(p.matrix,
                   ReadMatrix(args.node, *args.in(kWeights).constant, *args.in(kScale).constant,
                              args.has(kZeroPoint) ? args.in(kZeroPoint).constant : nullptr));
  p.rows = p.matrix.depth == 0 ? 0 : NumElements(args.in(kA).shape) / p.matrix.depth;
  RealSum sum{.channels = p.matrix.columns};
  if (args.has(kBias)) {
    ASSIGN_OR_RETURN(sum.bias, ReadBias(args.in(kBias)));
    p.bias_input = kBias;
  }
  ASSIGN_OR_RETURN(p.epilogue, MakeEpilogue(args, sum));
  return native::MakeWeightOnlyProduct(p, args.isa);
}

double MultiplyAdds(const LowerArgs& args) {
  return CountProducts(args.out(0).shape, {args.in(kA).shape.back()});
}

constexpr OpDef kOps[] = {{
    .name = "WeightOnlyMatMul",
    .domain = "intmill",
    .min_inputs = 3,
    .max_inputs = 5,
    .weight_axis = WeightAxis,
    .multiply_adds = MultiplyAdds,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> WeightOnlyMatMulOps() { return kOps; }

}  // namespace intmill::ops
