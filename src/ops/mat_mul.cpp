// MatMul: products of the last two dimensions, the ones before broadcast; 1-D operands are a row on
// the left and a column on the right.
#include "base/parallel.h"
#include "kernels/matmul.h"
#include "ops/common/layout.h"
#include "ops/common/types.h"
#include "ops/common/weighted.h"

namespace intmill::ops {
namespace {

// Operands with at least two dimensions, of one rank, and the product's shape in that form.
struct Shapes {
  Shape a;
  Shape b;
  Shape out;
  bool drop_row = false;     // a was 1-D
  bool drop_column = false;  // b was 1-D
};

Result<Shapes> Align(Shape a, Shape b) {
  if (a.empty() || b.empty()) return Error(Code::kShape, "a scalar operand, wanted 1-D or more");
  Shapes s{.drop_row = a.size() == 1, .drop_column = b.size() == 1};
  if (s.drop_row) a.insert(a.begin(), 1);
  if (s.drop_column) b.push_back(1);
  const int64_t depth_a = a.back();
  const int64_t depth_b = b[b.size() - 2];
  if (depth_a != depth_b && depth_a != kDynamic && depth_b != kDynamic)
    return Error(Code::kShape, "the first operand has ", depth_a, " columns, the second ", depth_b,
                 " rows");
  const Shape batch_a(a.begin(), a.end() - 2);
  const Shape batch_b(b.begin(), b.end() - 2);
  ASSIGN_OR_RETURN(s.out, BroadcastShapes(batch_a, batch_b));
  const size_t batch = s.out.size();
  a.insert(a.begin(), batch - batch_a.size(), 1);
  b.insert(b.begin(), batch - batch_b.size(), 1);
  s.out.push_back(a[batch]);
  s.out.push_back(b.back());
  s.a = std::move(a);
  s.b = std::move(b);
  return s;
}

Shape Visible(const Shapes& s) {
  Shape out = s.out;
  if (s.drop_column) out.pop_back();
  if (s.drop_row) out.erase(out.end() - (s.drop_column ? 1 : 2));
  return out;
}

Status Infer(InferContext& context) {
  const Shape* a = context.shape(0);
  const Shape* b = context.shape(1);
  std::optional<Shape> out;
  if (a != nullptr && b != nullptr) {
    ASSIGN_OR_RETURN(const Shapes shapes, Align(*a, *b));
    out = Visible(shapes);
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

// Which matrix of an operand belongs to matrix i of the output.
int64_t MatrixOf(const Shape& operand, const Shape& out, int64_t i) {
  int64_t index = 0;
  int64_t stride = 1;
  for (size_t d = operand.size() - 2; d-- > 0;) {
    if (operand[d] != 1) index += i % out[d] * stride;
    stride *= operand[d];
    i /= out[d];
  }
  return index;
}

// Sum is double for floats; unsigned for integers, which wrap around.
template <typename T, typename Sum>
void Multiply(const Shapes& s, const T* a, const T* b, T* out) {
  const int64_t rows = s.out[s.out.size() - 2];
  const int64_t columns = s.out.back();
  const int64_t depth = s.a.back();
  ParallelFor(NumElements(s.out) / std::max<int64_t>(columns, 1), 1,
              [&](int64_t begin, int64_t end) {
                for (int64_t r = begin; r < end; ++r) {
                  const T* x = a + (MatrixOf(s.a, s.out, r / rows) * rows + r % rows) * depth;
                  const T* y = b + MatrixOf(s.b, s.out, r / rows) * depth * columns;
                  for (int64_t j = 0; j < columns; ++j) {
                    Sum sum = 0;
                    for (int64_t k = 0; k < depth; ++k)
                      sum += static_cast<Sum>(x[k]) * static_cast<Sum>(y[k * columns + j]);
                    out[r * columns + j] = static_cast<T>(sum);
                  }
                }
              });
}

Status Reference(const ReferenceArgs& args) {
  if (args.in(0).dtype() != args.in(1).dtype())
    return Error(Code::kUnsupported, "element types ", DTypeName(args.in(0).dtype()), " x ",
                 DTypeName(args.in(1).dtype()));
  if (args.out(0).elements() == 0) return Ok();
  ASSIGN_OR_RETURN(const Shapes shapes, Align(args.in(0).shape(), args.in(1).shape()));
  return ForType<float, int32_t, int64_t>(args.in(0).dtype(), [&]<typename T>(T) {
    using Sum = std::conditional_t<std::is_same_v<T, float>, double, uint64_t>;
    Multiply<T, Sum>(shapes, args.in(0).data<T>(), args.in(1).data<T>(),
                     args.out(0).mutable_data<T>());
    return Ok();
  });
}

int64_t WeightAxis(const Node&, int64_t rank) { return rank < 2 ? -1 : rank - 1; }

bool IsScaledByte(const Operand& o) {
  return IsQuantized8(o.dtype) && o.qparams != nullptr && o.qparams->per_tensor();
}

Status ReadRight(const LowerArgs& args, MatMul& m, Weights& weights, RealSum& sum) {
  const Operand& b = args.in(1);
  m.b_dtype = b.dtype;
  if (b.constant != nullptr) {
    ASSIGN_OR_RETURN(weights, ReadWeights(b, WeightAxis(args.node, b.constant->rank())));
    ASSIGN_OR_RETURN(sum, MakeRealSum(args, weights, m.columns()));
    m.weights = weights.tensor.data<void>();
    m.b_dtype = weights.tensor.dtype();
    m.weight_zero_points = weights.zero_points;
    return Ok();
  }
  if (!IsQuantized8(b.dtype)) return Ok();
  if (!IsScaledByte(b)) return Error(Code::kUnsupported, "a right operand with several scales");
  m.b_zero_point = b.qparams->zero_points[0];
  sum.scales = {static_cast<double>(args.in(0).qparams->scales[0]) * b.qparams->scales[0]};
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  const Operand& a = args.in(0);
  TRY(CheckWeightedTypes(args));
  ASSIGN_OR_RETURN(Shapes shapes, Align(a.shape, args.in(1).shape));
  if (NumElements(shapes.out) == 0 || shapes.a.back() == 0)
    return Error(Code::kUnsupported, "no elements");
  MatMul m{.a = std::move(shapes.a), .b = std::move(shapes.b), .out = std::move(shapes.out)};
  m.a_dtype = a.dtype;
  m.out_dtype = RoundedOutput(args).dtype;
  Weights weights;
  RealSum sum;
  TRY(ReadRight(args, m, weights, sum));
  sum.channels = m.columns();
  ASSIGN_OR_RETURN(m.epilogue, MakeEpilogue(args, sum));
  if (IsQuantized8(a.dtype)) {
    m.a_zero_point = a.qparams->zero_points[0];
    TRY(CheckDepth(m.depth()));
  }
  return MakeMatMul(std::move(m), args.isa);
}

double MultiplyAdds(const LowerArgs& args) {
  return CountProducts(args.out(0).shape, {args.in(0).shape.back()});
}

constexpr OpDef kOps[] = {{
    .name = "MatMul",
    .min_inputs = 2,
    .max_inputs = 2,
    .quant = QuantRule::kWeighted,
    .weight_axis = WeightAxis,
    .multiply_adds = MultiplyAdds,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> MatMulOps() { return kOps; }

}  // namespace intmill::ops
