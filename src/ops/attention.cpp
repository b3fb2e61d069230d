// QuantizedAttention (ours, made by fuse_attention): softmax(scale * q k + mask) v. The kernel
// rounds weights, to 16 bits of at most 256 keys (native/attention.h).
#include "kernels/native/attention.h"

#include <algorithm>
#include <cmath>

#include "ops/common/layout.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"
#include "ops/common/weighted.h"

namespace intmill::ops {
namespace {

enum Inputs : int64_t { kQ = 0, kK = 1, kV = 2, kMask = 3 };

// Where the dimensions of an operand are. Form 0 is as a product takes it; 1 as projections leave
// it, [batch, tokens, heads, elements]; 2, of keys, is [batch, heads, tokens, elements].
struct Axes {
  size_t head = 1;
  size_t token = 2;
  size_t element = 3;
};

Result<Axes> AxesOf(const Node& node, const char* attribute, bool is_key) {
  ASSIGN_OR_RETURN(const int64_t form, node.attrs.Int(attribute, 0));
  if (form == 1) return Axes{.head = 2, .token = 1, .element = 3};
  return is_key && form == 0 ? Axes{.head = 1, .token = 3, .element = 2} : Axes{};
}

struct Forms {
  Axes q;
  Axes k;
  Axes v;
  Axes out;
};

Result<Forms> FormsOf(const Node& node) {
  Forms f;
  ASSIGN_OR_RETURN(f.q, AxesOf(node, "q_form", false));
  ASSIGN_OR_RETURN(f.k, AxesOf(node, "k_form", true));
  ASSIGN_OR_RETURN(f.v, AxesOf(node, "v_form", false));
  ASSIGN_OR_RETURN(f.out, AxesOf(node, "out_form", false));
  return f;
}

// Sizes, once q, k, v and the mask are known to fit.
struct Sizes {
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t depth = 0;
  int64_t width = 0;

  Shape scores() const { return {batch, heads, queries, keys}; }
};

Result<Sizes> SizesOf(const Forms& f, const Shape& q, const Shape& k, const Shape& v) {
  if (q.size() != 4 || k.size() != 4 || v.size() != 4)
    return Error(Code::kShape, "found ", ToString(q), ", ", ToString(k), " and ", ToString(v),
                 ", wanted four dimensions each");
  const Sizes s{q[0], q[f.q.head], q[f.q.token], k[f.k.token], q[f.q.element], v[f.v.element]};
  if (k[0] != s.batch || v[0] != s.batch || k[f.k.head] != s.heads || v[f.v.head] != s.heads ||
      k[f.k.element] != s.depth || v[f.v.token] != s.keys)
    return Error(Code::kShape, "queries ", ToString(q), ", keys ", ToString(k), " and values ",
                 ToString(v), " do not fit");
  return s;
}

Status CheckMask(const Shape& mask, const Shape& scores) {
  const Result<Shape> joined = BroadcastShapes(mask, scores);
  if (joined.ok() && *joined == scores && !mask.empty() && mask.back() == scores.back())
    return Ok();
  return Error(Code::kShape, "mask ", ToString(mask), " does not stretch to ", ToString(scores));
}

Status Infer(InferContext& context) {
  std::optional<Shape> out;
  const Shape* q = context.shape(kQ);
  const Shape* k = context.shape(kK);
  const Shape* v = context.shape(kV);
  if (q != nullptr && k != nullptr && v != nullptr) {
    ASSIGN_OR_RETURN(const Forms f, FormsOf(context.node()));
    ASSIGN_OR_RETURN(const Sizes s, SizesOf(f, *q, *k, *v));
    if (const Shape* mask = context.shape(kMask)) TRY(CheckMask(*mask, s.scores()));
    out = Shape(4, s.batch);
    (*out)[f.out.head] = s.heads;
    (*out)[f.out.token] = s.queries;
    (*out)[f.out.element] = s.width;
  }
  context.SetOutput(0, DType::kF32, std::move(out));
  return Ok();
}

// Element (token, element) of a head.
struct Matrix {
  const float* data;
  int64_t token;
  int64_t element;

  double at(int64_t t, int64_t i) const { return double{data[t * token + i * element]}; }
};

Matrix HeadOf(const Tensor& x, const Axes& axes, int64_t batch, int64_t head) {
  const Shape strides = RowMajorStrides(x.shape());
  return {x.data<float>() + batch * strides[0] + head * strides[axes.head], strides[axes.token],
          strides[axes.element]};
}

// The weights of one row, before they are divided by their sum.
double WeighRow(std::vector<double>& t) {
  const double largest = *std::max_element(t.begin(), t.end());
  double sum = 0;
  for (double& value : t) sum += value = std::exp(value - largest);
  return sum;
}

Status Reference(const ReferenceArgs& args) {
  for (int64_t i = 0; i < 4; ++i)
    if (args.has(i) && args.in(i).dtype() != DType::kF32)
      return UnsupportedType(args.in(i).dtype());
  ASSIGN_OR_RETURN(const Forms f, FormsOf(args.node));
  ASSIGN_OR_RETURN(const Sizes s,
                   SizesOf(f, args.in(kQ).shape(), args.in(kK).shape(), args.in(kV).shape()));
  ASSIGN_OR_RETURN(const float scale, args.node.attrs.Float("scale", 1));
  const Shape mask_strides =
      args.has(kMask) ? BroadcastStrides(args.in(kMask).shape(),
                                         RowMajorStrides(args.in(kMask).shape()), s.scores())
                      : Shape(4, 0);
  const Shape out_strides = RowMajorStrides(args.out(0).shape());
  std::vector<double> t(static_cast<size_t>(s.keys));
  for (int64_t i = 0; i < s.batch * s.heads * s.queries && s.keys > 0; ++i) {
    const int64_t batch = i / (s.heads * s.queries);
    const int64_t head = i / s.queries % s.heads;
    const int64_t query = i % s.queries;
    const Matrix q = HeadOf(args.in(kQ), f.q, batch, head);
    const Matrix k = HeadOf(args.in(kK), f.k, batch, head);
    const Matrix v = HeadOf(args.in(kV), f.v, batch, head);
    for (int64_t key = 0; key < s.keys; ++key) {
      double sum = 0;
      for (int64_t j = 0; j < s.depth; ++j) sum += q.at(query, j) * k.at(key, j);
      const int64_t at = batch * mask_strides[0] + head * mask_strides[1] +
                         query * mask_strides[2] + key * mask_strides[3];
      const double mask = args.has(kMask) ? double{args.in(kMask).data<float>()[at]} : 0;
      t[static_cast<size_t>(key)] = sum * double{scale} + mask;
    }
    const double weights = WeighRow(t);
    float* out = args.out(0).mutable_data<float>() + batch * out_strides[0] +
                 head * out_strides[f.out.head] + query * out_strides[f.out.token];
    for (int64_t j = 0; j < s.width; ++j) {
      double sum = 0;
      for (int64_t key = 0; key < s.keys; ++key) sum += t[static_cast<size_t>(key)] * v.at(key, j);
      out[j] = static_cast<float>(sum / weights);
    }
  }
  return Ok();
}

native::HeadStrides StridesOf(const Shape& strides, const Axes& axes) {
  return {strides[0], strides[axes.head], strides[axes.token]};
}

bool IsByte(const Operand& o, DType dtype) {
  return o.dtype == dtype && o.qparams != nullptr && o.qparams->per_tensor();
}

// Bytes, of one scale each; keys and values without zero points.
Status CheckTypes(const LowerArgs& args) {
  for (const Inputs i : {kK, kV})
    if (!IsByte(args.in(i), DType::kS8) || args.in(i).qparams->zero_points[0] != 0)
      return Error(Code::kUnsupported, "keys or values that are not symmetric s8");
  if (!IsByte(args.in(kQ), DType::kU8) && !IsByte(args.in(kQ), DType::kS8))
    return UnsupportedType(args.in(kQ).dtype);
  if (args.has(kMask) && args.in(kMask).dtype != DType::kF32)
    return UnsupportedType(args.in(kMask).dtype);
  const Operand& out = args.out(0);
  if (out.dtype == DType::kF32 || IsByte(out, DType::kU8) || IsByte(out, DType::kS8)) return Ok();
  return UnsupportedType(out.dtype);
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  TRY(CheckTypes(args));
  const Shape& q = args.in(kQ).shape;
  const Shape& k = args.in(kK).shape;
  const Shape& v = args.in(kV).shape;
  const Operand& out = args.out(0);
  ASSIGN_OR_RETURN(const Forms f, FormsOf(args.node));
  ASSIGN_OR_RETURN(const Sizes s, SizesOf(f, q, k, v));
  TRY(CheckDepth(s.depth));
  TRY(CheckDepth(s.keys));
  if (NumElements(out.shape) == 0 || s.depth == 0 || s.keys == 0)
    return Error(Code::kUnsupported, "no elements");
  const Shape k_strides = RowMajorStrides(k);
  native::ByteAttention a{.batch = s.batch,
                          .heads = s.heads,
                          .queries = s.queries,
                          .keys = s.keys,
                          .depth = s.depth,
                          .width = s.width,
                          .q = StridesOf(RowMajorStrides(q), f.q),
                          .k = StridesOf(k_strides, f.k),
                          .k_element = k_strides[f.k.element],
                          .v = StridesOf(RowMajorStrides(v), f.v),
                          .out = StridesOf(RowMajorStrides(out.shape), f.out),
                          .has_mask = args.has(kMask),
                          .q_dtype = args.in(kQ).dtype,
                          .q_zero_point = args.in(kQ).qparams->zero_points[0],
                          .out_dtype = out.dtype};
  if (a.has_mask) {
    const Shape& mask = args.in(kMask).shape;
    TRY(CheckMask(mask, s.scores()));
    const Shape strides = BroadcastStrides(mask, RowMajorStrides(mask), s.scores());
    a.mask = {strides[0], strides[1], strides[2]};
  }
  ASSIGN_OR_RETURN(a.scale, args.node.attrs.Float("scale", 1));
  const auto scale_of = [](const Operand& o) { return double{o.qparams->scales[0]}; };
  a.score_scale = static_cast<float>(scale_of(args.in(kQ)) * scale_of(args.in(kK)));
  const double out_scale = out.dtype == DType::kF32 ? 1 : scale_of(out);
  a.value_scale = static_cast<float>(scale_of(args.in(kV)) / out_scale);
  if (out.dtype != DType::kF32) a.out_zero_point = out.qparams->zero_points[0];
  return native::MakeByteAttention(a, args.isa);
}

double MultiplyAdds(const LowerArgs& args) {
  const Result<Forms> f = FormsOf(args.node);
  if (!f.ok()) return 0;
  const Result<Sizes> s = SizesOf(*f, args.in(kQ).shape, args.in(kK).shape, args.in(kV).shape);
  return s.ok() ? CountProducts(s->scores(), {s->depth + s->width}) : 0;
}

constexpr OpDef kOps[] = {{
    .name = "QuantizedAttention",
    .domain = "intmill",
    .min_inputs = 3,
    .max_inputs = 4,
    .multiply_adds = MultiplyAdds,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> AttentionOps() { return kOps; }

}  // namespace intmill::ops
