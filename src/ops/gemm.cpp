// Gemm: alpha * A * B + beta * C, A and B transposed or not, C broadcast to the product or absent.
#include "base/parallel.h"
#include "kernels/matmul.h"
#include "ops/common/layout.h"
#include "ops/common/weighted.h"

namespace intmill::ops {
namespace {

struct Options {
  float alpha = 1;
  float beta = 1;
  bool trans_a = false;
  bool trans_b = false;
};

Result<Options> ReadAttributes(const Attributes& attrs) {
  Options g;
  ASSIGN_OR_RETURN(g.alpha, attrs.Float("alpha", 1));
  ASSIGN_OR_RETURN(g.beta, attrs.Float("beta", 1));
  ASSIGN_OR_RETURN(const int64_t trans_a, attrs.Int("transA", 0));
  ASSIGN_OR_RETURN(const int64_t trans_b, attrs.Int("transB", 0));
  g.trans_a = trans_a != 0;
  g.trans_b = trans_b != 0;
  return g;
}

Result<Shape> MatrixShape(const Shape& shape, bool transposed) {
  if (shape.size() != 2)
    return Error(Code::kShape, "an operand has ", shape.size(), " dimensions, wanted 2");
  return transposed ? Shape{shape[1], shape[0]} : shape;
}

Result<Shape> ProductShape(const Shape& a, const Shape& b) {
  if (a[1] != b[0] && a[1] != kDynamic && b[0] != kDynamic)
    return Error(Code::kShape, "A has ", a[1], " columns, B ", b[0], " rows");
  return Shape{a[0], b[1]};
}

// C is stretched to the product, never the other way round.
Status CheckAddend(const Shape& c, const Shape& out) {
  Result<Shape> joined = BroadcastShapes(c, out);
  if (!joined.ok() || joined->size() != 2)
    return Error(Code::kShape, "C has shape ", ToString(c), ", the product ", ToString(out));
  for (size_t i = 0; i < 2; ++i)
    if (out[i] != kDynamic && (*joined)[i] != out[i])
      return Error(Code::kShape, "C has shape ", ToString(c), ", the product ", ToString(out));
  return Ok();
}

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Options g, ReadAttributes(context.attrs()));
  const Shape* given_a = context.shape(0);
  const Shape* given_b = context.shape(1);
  Shape out = {kDynamic, kDynamic};
  if (given_a != nullptr && given_b != nullptr) {
    ASSIGN_OR_RETURN(const Shape a, MatrixShape(*given_a, g.trans_a));
    ASSIGN_OR_RETURN(const Shape b, MatrixShape(*given_b, g.trans_b));
    ASSIGN_OR_RETURN(out, ProductShape(a, b));
    if (context.shape(2) != nullptr) TRY(CheckAddend(*context.shape(2), out));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  for (int64_t i = 0; i < 3; ++i)
    if (args.has(i) && args.in(i).dtype() != DType::kF32)
      return Error(Code::kUnsupported, "element type ", DTypeName(args.in(i).dtype()));
  ASSIGN_OR_RETURN(const Options g, ReadAttributes(args.node.attrs));
  ASSIGN_OR_RETURN(const Shape shape_a, MatrixShape(args.in(0).shape(), g.trans_a));
  const Shape& out = args.out(0).shape();
  const int64_t rows = out[0];
  const int64_t columns = out[1];
  const int64_t depth = shape_a[1];
  const float* a = args.in(0).data<float>();
  const float* b = args.in(1).data<float>();
  const float* c = args.has(2) ? args.in(2).data<float>() : nullptr;
  Shape c_strides = {0, 0};
  if (c != nullptr)
    c_strides = BroadcastStrides(args.in(2).shape(), RowMajorStrides(args.in(2).shape()), out);
  ParallelFor(rows * columns, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t m = i / columns;
      const int64_t n = i % columns;
      double sum = 0;
      for (int64_t k = 0; k < depth; ++k)
        sum += static_cast<double>(a[g.trans_a ? k * rows + m : m * depth + k]) *
               b[g.trans_b ? n * depth + k : k * columns + n];
      sum *= g.alpha;
      if (c != nullptr) sum += static_cast<double>(g.beta) * c[m * c_strides[0] + n * c_strides[1]];
      args.out(0).mutable_data<float>()[i] = static_cast<float>(sum);
    }
  });
  return Ok();
}

int64_t WeightAxis(const Node& node, int64_t) {
  const Result<int64_t> trans_b = node.attrs.Int("transB", 0);
  return trans_b.ok() && *trans_b != 0 ? 0 : 1;
}

// C with one value per column (or one value) is a bias.
bool IsBias(const Operand& c, int64_t columns) {
  if (c.constant == nullptr) return false;
  const int64_t elements = NumElements(c.shape);
  return elements == 1 || (elements == columns && c.shape.back() == columns);
}

Status AddConstantC(const LowerArgs& args, float beta, int64_t columns, RealSum& sum) {
  ASSIGN_OR_RETURN(std::vector<double> bias, ReadBias(args.in(2)));
  if (bias.size() == 1) bias.assign(static_cast<size_t>(columns), bias[0]);
  for (double& b : bias) b *= beta;
  sum.bias = std::move(bias);
  return Ok();
}

// Any other C is added as an operand, before what follows.
Status AddOperandC(const LowerArgs& args, float beta, Epilogue& epilogue) {
  const Operand& c = args.in(2);
  if (c.dtype != DType::kF32 || IsQuantized8(args.in(0).dtype))
    return Error(Code::kUnsupported, "C of type ", DTypeName(c.dtype), " and shape ",
                 ToString(c.shape));
  if (beta != 1) return Error(Code::kUnsupported, "beta ", beta, " with a C that is no bias");
  Shape shape = c.shape;
  shape.insert(shape.begin(), 2 - shape.size(), 1);
  epilogue.steps.insert(
      epilogue.steps.begin(),
      {.kind = EpilogueStep::Kind::kAdd, .input = 2, .dtype = DType::kF32, .shape = shape});
  return Ok();
}

Result<Tensor> Scaled(const Tensor& w, float alpha) {
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(DType::kF32, w.shape()));
  for (int64_t i = 0; i < w.elements(); ++i)
    out.mutable_data<float>()[i] = w.data<float>()[i] * alpha;
  return out;
}

Status ReadRight(const LowerArgs& args, const Options& g, MatMul& m, Weights& weights,
                 RealSum& sum) {
  const Operand& b = args.in(1);
  m.b_dtype = b.dtype;
  if (b.constant == nullptr && !IsQuantized8(b.dtype) && g.alpha == 1) return Ok();
  if (b.dtype == DType::kBf16 && g.alpha != 1)
    return Error(Code::kUnsupported, "alpha ", g.alpha, " with weights in BF16");
  ASSIGN_OR_RETURN(weights, ReadWeights(b, WeightAxis(args.node, 2)));
  ASSIGN_OR_RETURN(sum, MakeRealSum(args, weights, m.columns()));
  for (double& scale : sum.scales) scale *= g.alpha;
  if (b.dtype == DType::kF32 && g.alpha != 1) {
    ASSIGN_OR_RETURN(weights.tensor, Scaled(weights.tensor, g.alpha));
  }
  m.weights = weights.tensor.data<void>();
  m.b_dtype = weights.tensor.dtype();
  m.weight_zero_points = weights.zero_points;
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(CheckWeightedTypes(args));
  const Operand& a = args.in(0);
  ASSIGN_OR_RETURN(const Options g, ReadAttributes(args.node.attrs));
  MatMul m{.a_is_transposed = g.trans_a, .b_is_transposed = g.trans_b};
  ASSIGN_OR_RETURN(m.a, MatrixShape(a.shape, g.trans_a));
  ASSIGN_OR_RETURN(m.b, MatrixShape(args.in(1).shape, g.trans_b));
  ASSIGN_OR_RETURN(m.out, ProductShape(m.a, m.b));
  if (NumElements(m.out) == 0 || m.depth() == 0) return Error(Code::kUnsupported, "no elements");
  m.a_dtype = a.dtype;
  m.out_dtype = RoundedOutput(args).dtype;
  Weights weights;
  RealSum sum;
  TRY(ReadRight(args, g, m, weights, sum));
  sum.channels = m.columns();
  const bool is_bias = args.has(2) && IsBias(args.in(2), m.columns());
  if (is_bias) {
    TRY(AddConstantC(args, g.beta, m.columns(), sum));
    m.bias_input = 2;
  }
  ASSIGN_OR_RETURN(m.epilogue, MakeEpilogue(args, sum));
  if (args.has(2) && !is_bias) TRY(AddOperandC(args, g.beta, m.epilogue));
  if (IsQuantized8(a.dtype)) {
    m.a_zero_point = a.qparams->zero_points[0];
    TRY(CheckDepth(m.depth()));
  }
  return MakeMatMul(std::move(m), args.isa);
}

double MultiplyAdds(const LowerArgs& args) {
  const Result<int64_t> trans_a = args.node.attrs.Int("transA", 0);
  const bool is_transposed = trans_a.ok() && *trans_a != 0;
  return CountProducts(args.out(0).shape, {args.in(0).shape[is_transposed ? 0 : 1]});
}

// C became optional at opset 11; before 7 it was stretched only where asked to.
constexpr OpDef kOps[] = {{
    .name = "Gemm",
    .min_inputs = 2,
    .max_inputs = 3,
    .quant = QuantRule::kWeighted,
    .weight_axis = WeightAxis,
    .multiply_adds = MultiplyAdds,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> GemmOps() { return kOps; }

}  // namespace intmill::ops
