// LayerNormalization: each row (the dimensions from the axis on) to mean 0 and variance 1, then
// times scale plus bias. QuantizedLayerNormalization (ours, made by fuse_quantize): outputs are the
// same in 8 bits, and the floats where others read them.
#include <cmath>

#include "kernels/native/layer_norm.h"
#include "ops/common/axes.h"
#include "ops/common/layout.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"
#include "tensor/quantize.h"

namespace intmill::ops {
namespace {

struct Rows {
  int64_t count = 1;
  int64_t length = 1;
};

Result<size_t> AxisOf(const Node& node, const Shape& x) {
  ASSIGN_OR_RETURN(const int64_t axis,
                   AxisAttribute(node, "axis", -1, static_cast<int64_t>(x.size())));
  return static_cast<size_t>(axis);
}

Result<Rows> RowsOf(const Node& node, const Shape& x) {
  ASSIGN_OR_RETURN(const size_t axis, AxisOf(node, x));
  Rows rows;
  for (size_t i = 0; i < x.size(); ++i) (i < axis ? rows.count : rows.length) *= x[i];
  return rows;
}

// Scale and bias are stretched to a row.
Status CheckParameter(const InferContext& context, int64_t i, const Shape& row) {
  const Shape* shape = context.shape(i);
  if (shape == nullptr) return Ok();
  const Result<Shape> joined = BroadcastShapes(*shape, row);
  if (joined.ok() && joined->size() == row.size()) return Ok();
  return Error(Code::kShape, "input ", i, " has shape ", ToString(*shape), ", rows have ",
               ToString(row));
}

struct Integers {
  float scale = 1;
  int64_t zero_point = 0;
};

Result<Integers> IntegersOf(const Node& node) {
  Integers q;
  ASSIGN_OR_RETURN(q.scale, node.attrs.Float("out_scale", 1));
  ASSIGN_OR_RETURN(q.zero_point, node.attrs.Int("out_zero_point", 0));
  return q;
}

Status Infer(InferContext& context) {
  const Shape* x = context.shape(0);
  std::optional<Shape> out;
  std::optional<Shape> statistics;
  if (x != nullptr) {
    ASSIGN_OR_RETURN(const size_t axis, AxisOf(context.node(), *x));
    const Shape row(x->begin() + static_cast<std::ptrdiff_t>(axis), x->end());
    for (const int64_t i : {1, 2}) TRY(CheckParameter(context, i, row));
    out = *x;
    statistics = *x;
    std::fill(statistics->begin() + static_cast<std::ptrdiff_t>(axis), statistics->end(), 1);
  }
  context.SetOutput(0, context.dtype(0), out);
  for (int64_t i = 1; i < context.output_count(); ++i)
    context.SetOutput(i, DType::kF32, statistics);
  return Ok();
}

Status InferQuantized(InferContext& context) {
  TRY(Infer(context));
  ASSIGN_OR_RETURN(const int64_t is_signed, context.attrs().Int("out_is_signed", 0));
  const Shape* x = context.shape(0);
  const std::optional<Shape> shape = x == nullptr ? std::nullopt : std::optional<Shape>(*x);
  context.SetOutput(0, is_signed != 0 ? DType::kS8 : DType::kU8, shape);
  if (context.output_count() > 1) context.SetOutput(1, DType::kF32, shape);
  return Ok();
}

// The values of a parameter for each element of a row.
Result<std::vector<float>> Stretched(const Tensor& t, const Shape& row) {
  if (t.dtype() != DType::kF32) return UnsupportedType(t.dtype());
  const Shape strides = BroadcastStrides(t.shape(), RowMajorStrides(t.shape()), row);
  std::vector<float> out(static_cast<size_t>(NumElements(row)));
  for (size_t i = 0; i < out.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    int64_t at = 0;
    for (size_t d = row.size(); d-- > 0;) {
      at += rest % row[d] * strides[d];
      rest /= row[d];
    }
    out[i] = t.data<float>()[at];
  }
  return out;
}

Status Normalize(const ReferenceArgs& args, Tensor& out, std::span<Tensor> statistics) {
  const Tensor& x = args.in(0);
  if (x.dtype() != DType::kF32) return UnsupportedType(x.dtype());
  ASSIGN_OR_RETURN(const Rows rows, RowsOf(args.node, x.shape()));
  ASSIGN_OR_RETURN(const size_t axis, AxisOf(args.node, x.shape()));
  ASSIGN_OR_RETURN(const float epsilon, args.node.attrs.Float("epsilon", 1e-5f));
  const Shape row(x.shape().begin() + static_cast<std::ptrdiff_t>(axis), x.shape().end());
  ASSIGN_OR_RETURN(const std::vector<float> scale, Stretched(args.in(1), row));
  std::vector<float> bias(scale.size(), 0);
  if (args.has(2)) {
    ASSIGN_OR_RETURN(bias, Stretched(args.in(2), row));
  }
  const auto n = static_cast<double>(rows.length);
  for (int64_t r = 0; r < rows.count; ++r) {
    const float* values = x.data<float>() + r * rows.length;
    double sum = 0;
    for (int64_t i = 0; i < rows.length; ++i) sum += values[i];
    const double mean = sum / n;
    double squares = 0;
    for (int64_t i = 0; i < rows.length; ++i) squares += (values[i] - mean) * (values[i] - mean);
    const double inverse = 1 / std::sqrt(squares / n + static_cast<double>(epsilon));
    for (int64_t i = 0; i < rows.length; ++i)
      out.mutable_data<float>()[r * rows.length + i] =
          static_cast<float>((values[i] - mean) * inverse * scale[static_cast<size_t>(i)] +
                             bias[static_cast<size_t>(i)]);
    if (statistics.size() > 0 && statistics[0].valid())
      statistics[0].mutable_data<float>()[r] = static_cast<float>(mean);
    if (statistics.size() > 1 && statistics[1].valid())
      statistics[1].mutable_data<float>()[r] = static_cast<float>(inverse);
  }
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  return Normalize(args, args.out(0), args.outputs.subspan(1));
}

Status ReferenceQuantized(const ReferenceArgs& args) {
  Tensor y;
  if (args.outputs.size() > 1) {
    y = args.out(1);
  } else {
    ASSIGN_OR_RETURN(y, Tensor::Make(DType::kF32, args.in(0).shape()));
  }
  TRY(Normalize(args, y, {}));
  ASSIGN_OR_RETURN(const Integers q, IntegersOf(args.node));
  const bool is_s8 = args.out(0).dtype() == DType::kS8;
  const int32_t low = is_s8 ? -128 : 0;
  for (int64_t i = 0; i < y.elements(); ++i)
    args.out(0).mutable_data<uint8_t>()[i] = static_cast<uint8_t>(QuantizeValue(
        y.data<float>()[i], q.scale, static_cast<int32_t>(q.zero_point), low, low + 255));
  return Ok();
}

Result<native::LayerNorm> NormOf(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  const Operand& x = args.in(0);
  ASSIGN_OR_RETURN(const Rows rows, RowsOf(args.node, x.shape));
  if (NumElements(x.shape) == 0) return Error(Code::kUnsupported, "no elements");
  for (int64_t i = 0; i < 3; ++i) {
    if (!args.has(i)) continue;
    if (args.in(i).dtype != DType::kF32) return UnsupportedType(args.in(i).dtype);
    if (i > 0 && NumElements(args.in(i).shape) != rows.length)
      return Error(Code::kUnsupported, "input ", i, " of shape ", ToString(args.in(i).shape),
                   ", stretched to rows");
  }
  ASSIGN_OR_RETURN(const float epsilon, args.node.attrs.Float("epsilon", 1e-5f));
  return native::LayerNorm{
      .rows = rows.count, .columns = rows.length, .epsilon = epsilon, .has_bias = args.has(2)};
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  for (size_t i = 1; i < args.outputs.size(); ++i)
    if (args.outputs[i].present) return Error(Code::kUnsupported, "the outputs for training");
  ASSIGN_OR_RETURN(const native::LayerNorm norm, NormOf(args));
  return native::MakeLayerNorm(norm, args.isa);
}

Result<std::unique_ptr<Kernel>> LowerQuantized(const LowerArgs& args) {
  ASSIGN_OR_RETURN(native::LayerNorm norm, NormOf(args));
  ASSIGN_OR_RETURN(const Integers q, IntegersOf(args.node));
  norm.has_floats = args.outputs.size() > 1;
  norm.out_dtype = args.out(0).dtype;
  norm.out_scale = q.scale;
  norm.out_zero_point = static_cast<int32_t>(q.zero_point);
  return native::MakeLayerNorm(norm, args.isa);
}

constexpr OpDef kOps[] = {
    {
        .name = "LayerNormalization",
        .min_inputs = 2,
        .max_inputs = 3,
        .max_outputs = 3,
        .infer = Infer,
        .reference = Reference,
        .lower = Lower,
    },
    {
        .name = "QuantizedLayerNormalization",
        .domain = "intmill",
        .min_inputs = 2,
        .max_inputs = 3,
        .max_outputs = 2,
        .infer = InferQuantized,
        .reference = ReferenceQuantized,
        .lower = LowerQuantized,
    },
};

}  // namespace

std::span<const OpDef> LayerNormalizationOps() { return kOps; }

}  // namespace intmill::ops
