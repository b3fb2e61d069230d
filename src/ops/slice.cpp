// Slice: every step-th element between start and end of some axes; steps may be negative.
#include <algorithm>
#include <limits>

#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

struct Range1D {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

// ends may be INT64_MAX or INT64_MIN to mean "to the end", so sums are taken after clamping.
Range1D RangeOf(int64_t dim, int64_t start, int64_t end, int64_t step) {
  if (dim == 0) return {.step = 1};
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, dim);
    end = std::clamp<int64_t>(end, 0, dim);
    return {start, step, end <= start ? 0 : (end - start - 1) / step + 1};
  }
  start = std::clamp<int64_t>(start, 0, dim - 1);
  end = std::clamp<int64_t>(end, -1, dim - 1);
  const int64_t back = -std::max(step, -std::numeric_limits<int64_t>::max());
  return {start, -back, start <= end ? 0 : (start - end - 1) / back + 1};
}

struct Arguments {
  Ints starts;
  Ints ends;
  Ints axes;  // normalized
  Ints steps;
};

// Empty axes and steps mean that they were absent.
Result<Arguments> Check(Arguments a, bool has_axes, bool has_steps, int64_t rank) {
  if (!has_axes)
    for (size_t i = 0; i < a.starts.size(); ++i) a.axes.push_back(static_cast<int64_t>(i));
  if (!has_steps) a.steps.assign(a.starts.size(), 1);
  if (a.ends.size() != a.starts.size() || a.axes.size() != a.starts.size() ||
      a.steps.size() != a.starts.size())
    return Error(Code::kInvalidArgument, a.starts.size(), " starts, ", a.ends.size(), " ends, ",
                 a.axes.size(), " axes and ", a.steps.size(), " steps");
  ASSIGN_OR_RETURN(a.axes, NormalizeAxes(a.axes, rank));
  if (std::find(a.steps.begin(), a.steps.end(), 0) != a.steps.end())
    return Error(Code::kInvalidArgument, "a step is 0");
  return a;
}

// An axis whose bounds are not known has an unknown dimension; with unknown axes all have.
Status Infer(InferContext& context) {
  const Shape* shape = context.shape(0);
  if (shape == nullptr) {
    context.SetOutput(0, context.dtype(0), std::nullopt);
    return Ok();
  }
  const auto rank = static_cast<int64_t>(shape->size());
  ASSIGN_OR_RETURN(const auto starts, KnownInts(context, 1, {}));
  ASSIGN_OR_RETURN(const auto ends, KnownInts(context, 2, {}));
  ASSIGN_OR_RETURN(const auto axes, KnownInts(context, 3, {}));
  ASSIGN_OR_RETURN(const auto steps, KnownInts(context, 4, {}));
  Shape out = Unknown(rank);
  if (starts && ends && axes && steps) {
    ASSIGN_OR_RETURN(const Arguments a, Check({*starts, *ends, *axes, *steps}, context.has_input(3),
                                              context.has_input(4), rank));
    out = *shape;
    for (size_t i = 0; i < a.axes.size(); ++i) {
      int64_t& dim = out[static_cast<size_t>(a.axes[i])];
      if (dim != kDynamic) dim = RangeOf(dim, a.starts[i], a.ends[i], a.steps[i]).count;
    }
  } else if (axes && context.has_input(3)) {
    ASSIGN_OR_RETURN(const Ints normal, NormalizeAxes(*axes, rank));
    out = *shape;
    for (const int64_t axis : normal) out[static_cast<size_t>(axis)] = kDynamic;
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

Result<std::vector<native::CopyPart>> Parts(const Move& move) {
  Arguments given;
  ASSIGN_OR_RETURN(given.starts, move.ints(1, {}));
  ASSIGN_OR_RETURN(given.ends, move.ints(2, {}));
  ASSIGN_OR_RETURN(given.axes, move.ints(3, {}));
  ASSIGN_OR_RETURN(given.steps, move.ints(4, {}));
  const bool has_axes = move.inputs().size() > 3 && move.in(3).present;
  const bool has_steps = move.inputs().size() > 4 && move.in(4).present;
  ASSIGN_OR_RETURN(const Arguments a, Check(given, has_axes, has_steps, move.rank()));
  Shape strides = move.in().strides;
  int64_t offset = 0;
  for (size_t i = 0; i < a.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(a.axes[i]);
    const Range1D range = RangeOf(move.in().shape[axis], a.starts[i], a.ends[i], a.steps[i]);
    offset += range.start * strides[axis];
    // One element is taken without a step, which may be too large to multiply.
    strides[axis] = range.count > 1 ? strides[axis] * range.step : 0;
  }
  return std::vector{PartOfInput(move, strides, offset)};
}

// Until opset 9, starts, ends and axes were attributes.
Status Upgrade(Graph& graph, Node& node, int64_t opset) {
  if (opset >= 10) return Ok();
  TRY(IntsToInput(graph, node, "starts", 1));
  TRY(IntsToInput(graph, node, "ends", 2));
  return IntsToInput(graph, node, "axes", 3);
}

constexpr OpDef kOps[] = {{
    .name = "Slice",
    .min_inputs = 3,
    .max_inputs = 5,
    .traits = kMovesData,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kSameScale,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = MoveReference<Parts>,
    .lower = LowerMove<Parts>,
}};

}  // namespace

std::span<const OpDef> SliceOps() { return kOps; }

}  // namespace intmill::ops
