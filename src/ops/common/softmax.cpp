// Softmax and LogSoftmax: what they share.
#include "ops/common/softmax.h"

#include <cmath>

#include "kernels/native/row_softmax.h"
#include "kernels/onednn/normalization.h"
#include "ops/common/axes.h"
#include "ops/common/binary.h"
#include "ops/common/layout.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"

namespace intmill::ops {

Status UpgradeSoftmax(Graph&, Node& node, int64_t opset) {
  if (opset >= 13) return Ok();
  if (!node.attrs.Has("axis")) node.attrs.Set("axis", int64_t{1});
  node.attrs.Set("flattens", int64_t{1});
  return Ok();
}

Result<SoftmaxBlocks> SoftmaxBlocksOf(const Node& node, const Shape& x) {
  ASSIGN_OR_RETURN(const int64_t axis,
                   AxisAttribute(node, "axis", -1, static_cast<int64_t>(x.size())));
  ASSIGN_OR_RETURN(const int64_t flattens, node.attrs.Int("flattens", 0));
  SoftmaxBlocks blocks;
  for (size_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<size_t>(axis);
    int64_t& factor = i < at                     ? blocks.outer
                      : i == at || flattens != 0 ? blocks.count
                                                 : blocks.inner;
    factor *= x[i];
  }
  return blocks;
}

namespace {

Status CheckMask(const Shape& mask, const Shape& x) {
  const Result<Shape> joined = BroadcastShapes(mask, x);
  if (!mask.empty() && !x.empty() && joined.ok() && *joined == x && mask.back() == x.back())
    return Ok();
  return Error(Code::kShape, "mask ", ToString(mask), " does not stretch to ", ToString(x));
}

// Along the rows, the dimensions before the last.
Shape MaskStrides(const Shape& mask, const Shape& x) {
  Shape strides = BroadcastStrides(mask, RowMajorStrides(mask), x);
  strides.pop_back();
  return strides;
}

Status CheckRows(const SoftmaxBlocks& blocks, const Shape& x, bool is_log) {
  if (blocks.inner == 1 && blocks.count == x.back() && !is_log) return Ok();
  return Error(Code::kUnsupported, "a scale or a mask along another axis than the last");
}

}  // namespace

Status InferSoftmax(InferContext& context) {
  const Shape* x = context.shape(0);
  std::optional<Shape> out;
  if (x != nullptr) {
    TRY(AxisAttribute(context.node(), "axis", -1, static_cast<int64_t>(x->size())).status());
    out = *x;
    if (const Shape* mask = context.shape(1)) TRY(CheckMask(*mask, *x));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

namespace {

Result<std::vector<double>> ScaledAndMasked(const ReferenceArgs& args, const SoftmaxBlocks& blocks,
                                            bool is_log) {
  const Tensor& x = args.in(0);
  ASSIGN_OR_RETURN(const double scale, args.node.attrs.Float("scale", 1));
  std::vector<double> t(x.data<float>(), x.data<float>() + x.elements());
  for (double& value : t) value *= scale;
  if (!args.has(1) || t.empty()) return t;
  const Tensor& mask = args.in(1);
  if (mask.dtype() != DType::kF32) return UnsupportedType(mask.dtype());
  TRY(CheckMask(mask.shape(), x.shape()));
  TRY(CheckRows(blocks, x.shape(), is_log));
  ForBroadcastPairs(x.shape(), mask.shape(), x.shape(), [&](int64_t at, int64_t, int64_t from) {
    t[static_cast<size_t>(at)] += mask.data<float>()[from];
  });
  return t;
}

}  // namespace

Status SoftmaxReference(const ReferenceArgs& args, bool is_log) {
  const Tensor& x = args.in(0);
  if (x.dtype() != DType::kF32) return UnsupportedType(x.dtype());
  ASSIGN_OR_RETURN(const SoftmaxBlocks b, SoftmaxBlocksOf(args.node, x.shape()));
  ASSIGN_OR_RETURN(const std::vector<double> t, ScaledAndMasked(args, b, is_log));
  for (int64_t block = 0; block < b.outer * b.inner && x.elements() > 0; ++block) {
    const int64_t start = block / b.inner * b.count * b.inner + block % b.inner;
    const double* in = t.data() + start;
    float* out = args.out(0).mutable_data<float>() + start;
    double largest = in[0];
    for (int64_t i = 1; i < b.count; ++i) largest = std::max(largest, in[i * b.inner]);
    double sum = 0;
    for (int64_t i = 0; i < b.count; ++i) sum += std::exp(in[i * b.inner] - largest);
    for (int64_t i = 0; i < b.count; ++i) {
      const double shifted = in[i * b.inner] - largest;
      out[i * b.inner] =
          static_cast<float>(is_log ? shifted - std::log(sum) : std::exp(shifted) / sum);
    }
  }
  return Ok();
}

namespace {

Result<std::unique_ptr<Kernel>> LowerRows(const LowerArgs& args, const SoftmaxBlocks& blocks) {
  native::FloatSoftmax softmax{.rows = {blocks.outer}, .columns = blocks.count};
  ASSIGN_OR_RETURN(softmax.scale, args.node.attrs.Float("scale", 1));
  if (args.has(1)) {
    const Operand& mask = args.in(1);
    const Shape& x = args.in(0).shape;
    if (mask.dtype != DType::kF32) return UnsupportedType(mask.dtype);
    TRY(CheckMask(mask.shape, x));
    TRY(CheckRows(blocks, x, false));
    softmax.has_mask = true;
    softmax.rows.assign(x.begin(), x.end() - 1);
    softmax.mask_strides = MaskStrides(mask.shape, x);
  }
  return native::MakeFloatSoftmax(softmax, args.isa);
}

}  // namespace

Result<std::unique_ptr<Kernel>> LowerSoftmax(const LowerArgs& args, bool is_log) {
  TRY(RefusePostOps(args.node));
  const Operand& x = args.in(0);
  const Operand& out = args.out(0);
  if (NumElements(x.shape) == 0) return Error(Code::kUnsupported, "no elements");
  ASSIGN_OR_RETURN(const SoftmaxBlocks b, SoftmaxBlocksOf(args.node, x.shape));
  if (x.dtype == DType::kF32 && out.dtype == DType::kF32 && b.inner == 1 && !is_log)
    return LowerRows(args, b);
  if (args.has(1) || args.node.attrs.Has("scale"))
    return Error(Code::kUnsupported, "a scale or a mask where there are no rows of floats");
  if (x.dtype == DType::kF32 && out.dtype == DType::kF32)
    return onednn::MakeSoftmax(
        {.is_log = is_log, .outer = b.outer, .count = b.count, .inner = b.inner});
  if (!IsQuantized8(x.dtype) || x.qparams == nullptr || !x.qparams->per_tensor() || is_log)
    return UnsupportedType(x.dtype);
  if (b.inner != 1)
    return Error(Code::kUnsupported, "8-bit numbers along another axis than the last");
  native::ByteSoftmax softmax{.rows = b.outer,
                              .columns = b.count,
                              .in_dtype = x.dtype,
                              .in_scale = x.qparams->scales[0],
                              .out_dtype = out.dtype};
  if (out.dtype != DType::kF32) {
    if (out.qparams == nullptr || !out.qparams->per_tensor()) return UnsupportedType(out.dtype);
    softmax.out_scale = out.qparams->scales[0];
    softmax.out_zero_point = out.qparams->zero_points[0];
  }
  return native::MakeByteSoftmax(softmax);
}

}  // namespace intmill::ops
