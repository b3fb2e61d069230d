// DynamicMatMul (ours, made by fold_dynamic): y = (a - z) s x w + bias, where the scale s and the
// zero point z of the 8-bit matrix a come from the data of this run, as DynamicQuantizeLinear found
// them.
#include "base/parallel.h"
#include "kernels/matmul.h"
#include "ops/common/weighted.h"

namespace intmill::ops {
namespace {

enum Inputs : int64_t { kA = 0, kWeights = 1, kBias = 2, kScale = 3, kZeroPoint = 4 };

bool IsTransposed(const Node& node) {
  const Result<int64_t> trans_b = node.attrs.Int("transB", 0);
  return trans_b.ok() && *trans_b != 0;
}

int64_t WeightAxis(const Node& node, int64_t) { return IsTransposed(node) ? 0 : 1; }

Status Infer(InferContext& context) {
  const Shape* a = context.shape(kA);
  const Shape* w = context.shape(kWeights);
  std::optional<Shape> out;
  if (a != nullptr && w != nullptr) {
    if (a->empty() || w->size() != 2)
      return Error(Code::kShape, "the operands have ", a->size(), " and ", w->size(),
                   " dimensions, wanted 1 or more and 2");
    const bool transposed = IsTransposed(context.node());
    if (a->back() != (*w)[transposed ? 1 : 0] && a->back() != kDynamic)
      return Error(Code::kShape, "a is ", ToString(*a), ", the weights are ", ToString(*w));
    out = *a;
    out->back() = (*w)[transposed ? 0 : 1];
  }
  context.SetOutput(0, DType::kF32, std::move(out));
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  const float scale = *args.in(kScale).data<float>();
  const int32_t zero_point = *args.in(kZeroPoint).data<int32_t>();
  const uint8_t* a = args.in(kA).data<uint8_t>();
  const float* w = args.in(kWeights).data<float>();
  const float* bias = args.has(kBias) ? args.in(kBias).data<float>() : nullptr;
  const bool transposed = IsTransposed(args.node);
  const int64_t columns = args.out(0).shape().back();
  const int64_t depth = args.in(kA).shape().back();
  ParallelFor(args.out(0).elements(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint8_t* row = a + i / columns * depth;
      const int64_t n = i % columns;
      double sum = bias != nullptr ? double{bias[n]} : 0;
      for (int64_t k = 0; k < depth; ++k)
        sum += static_cast<double>(static_cast<float>(row[k] - zero_point) * scale) *
               double{w[transposed ? n * depth + k : k * columns + n]};
      args.out(0).mutable_data<float>()[i] = static_cast<float>(sum);
    }
  });
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  const Operand& w = args.in(kWeights);
  const int64_t depth = args.in(kA).shape.back();
  TRY(CheckDepth(depth));
  if (depth == 0) return Error(Code::kUnsupported, "no elements");
  ASSIGN_OR_RETURN(const Weights weights, ReadWeights(w, WeightAxis(args.node, 2)));
  RealSum sum{.scales = weights.scales, .channels = args.out(0).shape.back()};
  if (args.has(kBias)) {
    ASSIGN_OR_RETURN(sum.bias, ReadBias(args.in(kBias)));
  }
  MatMul m{.b_is_transposed = IsTransposed(args.node)};
  m.a = {NumElements(args.in(kA).shape) / depth, depth};
  m.b = {depth, sum.channels};
  m.out = {m.a[0], sum.channels};
  m.a_dtype = DType::kU8;
  m.a_scale_input = kScale;
  m.a_zero_point_input = kZeroPoint;
  m.b_dtype = weights.tensor.dtype();
  m.weights = weights.tensor.data<void>();
  m.weight_zero_points = weights.zero_points;
  m.bias_input = args.has(kBias) ? int64_t{kBias} : -1;
  ASSIGN_OR_RETURN(m.epilogue, MakeEpilogue(args, sum));
  return MakeMatMul(m, args.isa);
}

double MultiplyAdds(const LowerArgs& args) {
  return CountProducts(args.out(0).shape, {args.in(kA).shape.back()});
}

constexpr OpDef kOps[] = {{
    .name = "DynamicMatMul",
    .domain = "intmill",
    .min_inputs = 2,
    .max_inputs = 5,
    .weight_axis = WeightAxis,
    .multiply_adds = MultiplyAdds,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> DynamicMatMulOps() { return kOps; }

}  // namespace intmill::ops
