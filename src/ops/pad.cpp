// Pad: elements added at both ends of axes, or cut off where the pad is negative.
#include "kernels/native/pad.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "ops/common/axes.h"
#include "ops/common/layout.h"
#include "ops/common/movement.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"

namespace intmill::ops {
namespace {

enum class Mode { kConstant, kEdge, kReflect, kWrap };

Result<Mode> ModeOf(const Node& node) {
  ASSIGN_OR_RETURN(const std::string mode, node.attrs.String("mode", "constant"));
  if (mode == "constant") return Mode::kConstant;
  if (mode == "edge") return Mode::kEdge;
  if (mode == "reflect") return Mode::kReflect;
  if (mode == "wrap") return Mode::kWrap;
  return Error(Code::kUnsupported, "attribute 'mode' is '", mode, "'");
}

// How much each axis gets, begin and end.
struct Pads {
  Ints begin;
  Ints end;
};

// `pads` holds all begins, then all ends, of the axes named or of all.
Result<Pads> PadsOf(const Ints& pads, const Ints& given_axes, bool has_axes, int64_t rank) {
  Ints axes = given_axes;
  if (!has_axes)
    for (int64_t d = 0; d < rank; ++d) axes.push_back(d);
  ASSIGN_OR_RETURN(axes, NormalizeAxes(axes, rank));
  if (pads.size() != 2 * axes.size())
    return Error(Code::kInvalidArgument, pads.size(), " pads for ", axes.size(), " axes");
  for (const int64_t pad : pads)  // so that differences with them cannot overflow
    if (pad < -kMaxDim || pad > kMaxDim)
      return Error(Code::kShape, "padded by ", pad, ", wanted ", -kMaxDim, " to ", kMaxDim);
  Pads out{Ints(static_cast<size_t>(rank)), Ints(static_cast<size_t>(rank))};
  for (size_t i = 0; i < axes.size(); ++i) {
    out.begin[static_cast<size_t>(axes[i])] = pads[i];
    out.end[static_cast<size_t>(axes[i])] = pads[axes.size() + i];
  }
  return out;
}

Result<int64_t> PaddedDim(int64_t dim, int64_t begin, int64_t end, Mode mode) {
  int64_t out = 0;
  if (dim == kDynamic) return begin == 0 && end == 0 ? dim : kDynamic;
  if (!AddFits(dim, begin, &out) || !AddFits(out, end, &out) || out < 0 || out > kMaxDim)
    return Error(Code::kShape, "dimension ", dim, " padded by ", begin, " and ", end);
  if (dim == 0 && out > 0 && mode != Mode::kConstant)
    return Error(Code::kShape, "a dimension of 0 has nothing to pad with");
  return out;
}

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Mode mode, ModeOf(context.node()));
  const Shape* in = context.shape(0);
  ASSIGN_OR_RETURN(const std::optional<Ints> pads, KnownInts(context, 1, {}));
  ASSIGN_OR_RETURN(const std::optional<Ints> axes, KnownInts(context, 3, {}));
  std::optional<Shape> out;
  if (in != nullptr) {
    const auto rank = static_cast<int64_t>(in->size());
    out = Unknown(rank);
    if (pads && axes) {
      ASSIGN_OR_RETURN(const Pads p, PadsOf(*pads, *axes, context.has_input(3), rank));
      for (size_t d = 0; d < in->size(); ++d) {
        ASSIGN_OR_RETURN((*out)[d], PaddedDim((*in)[d], p.begin[d], p.end[d], mode));
      }
    }
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

// The index that position i of an axis of `dim` comes from, or -1 for the constant.
int64_t SourceOf(int64_t i, int64_t dim, Mode mode) {
  if (i >= 0 && i < dim) return i;
  switch (mode) {
    case Mode::kConstant:
      return -1;
    case Mode::kEdge:
      return i < 0 ? 0 : dim - 1;
    case Mode::kWrap:
      return ((i % dim) + dim) % dim;
    case Mode::kReflect:
      break;
  }
  if (dim == 1) return 0;
  const int64_t period = 2 * (dim - 1);  // there and back, the ends once
  const int64_t at = ((i % period) + period) % period;
  return at < dim ? at : period - at;
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const Mode mode, ModeOf(args.node));
  ASSIGN_OR_RETURN(const Ints pads, ToInts(args.in(1)));
  Ints axes;
  if (args.has(3)) {
    ASSIGN_OR_RETURN(axes, ToInts(args.in(3)));
  }
  ASSIGN_OR_RETURN(const Pads p, PadsOf(pads, axes, args.has(3), args.in(0).rank()));
  const Shape& in = args.in(0).shape();
  const Shape& out = args.out(0).shape();
  const Shape strides = RowMajorStrides(in);
  return ForElementSize(args.in(0).dtype(), [&]<typename T>(T) {
    const T value = args.has(2) ? *static_cast<const T*>(args.in(2).data<void>()) : T{};
    const T* x = static_cast<const T*>(args.in(0).data<void>());
    T* y = static_cast<T*>(args.out(0).mutable_data<void>());
    for (int64_t i = 0; i < args.out(0).elements(); ++i) {
      int64_t rest = i;
      int64_t from = 0;
      for (size_t d = out.size(); d-- > 0;) {
        const int64_t source = SourceOf(rest % out[d] - p.begin[d], in[d], mode);
        rest /= out[d];
        from = source < 0 || from < 0 ? -1 : from + source * strides[d];
      }
      y[i] = from < 0 ? value : x[from];
    }
    return Ok();
  });
}

// The bits of the constant: a zero point where integers stand for real numbers and none is given.
Result<uint64_t> FillBits(const LowerArgs& args) {
  uint64_t bits = 0;
  if (args.has(2)) {
    TRY(CheckSameScale(args.in(2), args.out(0)));
    if (args.in(2).constant == nullptr)
      return Error(Code::kUnsupported, "the value is not a constant");
    std::memcpy(&bits, args.in(2).constant->data<void>(),
                static_cast<size_t>(BitsOf(args.in(2).dtype) / 8));
  } else if (args.out(0).qparams != nullptr) {
    bits = static_cast<uint8_t>(args.out(0).qparams->zero_points[0]);
  }
  return bits;
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  TRY(CheckSameScale(args.in(0), args.out(0)));
  ASSIGN_OR_RETURN(const Mode mode, ModeOf(args.node));
  if (args.in(1).constant == nullptr || (args.has(3) && args.in(3).constant == nullptr))
    return Error(Code::kUnsupported, "the pads are not constants");
  ASSIGN_OR_RETURN(const Ints pads, ToInts(*args.in(1).constant));
  Ints axes;
  if (args.has(3)) {
    ASSIGN_OR_RETURN(axes, ToInts(*args.in(3).constant));
  }
  const Operand& in = args.in(0);
  const Operand& out = args.out(0);
  const auto rank = static_cast<int64_t>(in.shape.size());
  ASSIGN_OR_RETURN(const Pads p, PadsOf(pads, axes, args.has(3), rank));
  const Shape strides = PhysicalStrides(in);
  native::PadSources sources;
  for (const int64_t axis : MemoryOrder(rank, out.layout)) {
    const auto d = static_cast<size_t>(axis);
    Ints& offsets = sources.offsets.emplace_back();
    for (int64_t i = 0; i < out.shape[d]; ++i) {
      const int64_t source = SourceOf(i - p.begin[d], in.shape[d], mode);
      offsets.push_back(source < 0 ? -1 : source * strides[d]);
    }
  }
  ASSIGN_OR_RETURN(sources.fill, FillBits(args));
  return native::MakePad(sources, BitsOf(in.dtype));
}

// Until opset 10, pads and value were attributes.
Status Upgrade(Graph& graph, Node& node, int64_t opset) {
  if (opset >= 11) return Ok();
  TRY(IntsToInput(graph, node, "pads", 1));
  return FloatToInput(graph, node, "value", 2);
}

constexpr OpDef kOps[] = {{
    .name = "Pad",
    .min_inputs = 2,
    .max_inputs = 4,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kSameScale,
    .same_scale_inputs = 0b101,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> PadOps() { return kOps; }

}  // namespace intmill::ops
