// Tests of split_int16: plans of two products of bytes against the plain graph, on random problems.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <memory>

#include "session/session.h"
#include "unit/kernels/run.h"
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// 1 is a little less than the largest integer, so that some of what lies in -1.1..1.1 saturates.
constexpr float kScale = 1.0f / 32000;

std::vector<int64_t> Twice(int64_t a, int64_t b) { return {a, b, a, b}; }

struct Problem : GraphBuilder {
  explicit Problem(uint32_t s) : random(s), seed(s) {}

  Random random;
  uint32_t seed;
  Shape input;
  std::string text;
  double bound = 0;  // of the sum of absolute products and the bias

  ValueId Real16(ValueId x) { return FakeQuantize<int16_t>(x, kScale, 0); }

  // s8 with a scale for each index of `axis`, or with one for all.
  ValueId Weights(const Shape& shape, int64_t axis, int64_t depth) {
    const int64_t channels = shape[static_cast<size_t>(axis)];
    const Tensor real = RandomTensor(shape, ++seed, -128, 127.9f);
    const Tensor q =
        *intmill::Quantize(real, {.dtype = DType::kS8, .scales = {1}, .zero_points = {0}});
    bound = 128 * 0.02 * 1.03 * static_cast<double>(depth) + 1;
    if (random.Chance()) return Dequantize<int8_t>(Constant(q), 0.02f, 0);
    std::vector<float> scales;
    for (int64_t i = 0; i < channels; ++i) scales.push_back(random.Float(0.001f, 0.02f));
    return Op("DequantizeLinear",
              {Constant(q), Constant(TensorOf<float>({channels}, scales)),
               Constant(TensorOf<int8_t>({channels},
                                         std::vector<int8_t>(static_cast<size_t>(channels))))},
              Attr("axis", axis));
  }

  ValueId Bias(int64_t channels) {
    if (random.Chance()) return Constant(RandomTensor({channels}, ++seed));
    std::vector<int32_t> q;
    for (int64_t i = 0; i < channels; ++i) q.push_back(static_cast<int32_t>(random.Int(-900, 900)));
    return Dequantize<int32_t>(Constant(TensorOf<int32_t>({channels}, q)), 0.001f, 0);
  }

  // Perhaps an activation and a residual; then floats, or 8 or 16 bits.
  void Finish(ValueId y, const Shape& shape) {
    if (random.Chance()) {
      graph.value(y).shape = shape;
      y = Op("Add", {y, Op("Neg", {Input("residual", shape)})});
    }
    const int64_t activation = random.Int(0, 3);
    if (activation == 1) y = Op("Relu", {y});
    if (activation == 2) y = Op("Sigmoid", {y});
    const int64_t out = random.Int(0, 2);
    step = out == 0 ? 0 : out == 1 ? 0.05 : 1e-3;
    if (out == 1) y = FakeQuantize<uint8_t>(y, 0.05f, 100);
    if (out == 2) y = FakeQuantize<int16_t>(y, 1e-3f, 0);
    Output(y);
  }
  double step = 0;  // of the output
};

Problem RandomConv(uint32_t seed, bool is_depthwise) {
  Problem p(seed);
  Random& r = p.random;
  const int64_t groups = is_depthwise ? r.Int(1, 40) : r.Int(1, 3);
  const int64_t in = is_depthwise ? 1 : r.Int(1, 40);
  const int64_t out = is_depthwise ? 1 : r.Int(1, 30);
  const int64_t side = is_depthwise ? 3 + 2 * r.Int(0, 1) : r.Int(0, 3) * 2 + 1;
  const int64_t batch = r.Int(1, 2);
  const int64_t height = r.Int(side, 14);
  const int64_t width = r.Int(side, 14);
  const int64_t stride = r.Int(1, 2);
  const int64_t pad = r.Int(0, side / 2);
  p.input = {batch, in * groups, height, width};
  const ValueId x = p.Real16(p.Input("x", p.input));
  const ValueId w = p.Weights({out * groups, in, side, side}, 0, in * side * side);
  std::vector<ValueId> inputs = {x, w};
  if (r.Chance()) inputs.push_back(p.Bias(out * groups));
  const ValueId y = p.Op("Conv", inputs,
                         With(With(Attr("group", groups), "pads", Twice(pad, pad)), "strides",
                              std::vector<int64_t>{stride, stride}));
  p.Finish(y, {batch, out * groups, (height + 2 * pad - side) / stride + 1,
               (width + 2 * pad - side) / stride + 1});
  p.text = Cat("seed ", seed, ": Conv of ", ToString(p.input), ", groups ", groups, " kernel ",
               side, " pad ", pad, " stride ", stride);
  return p;
}

Problem RandomProduct(uint32_t seed, bool is_gemm) {
  Problem p(seed);
  Random& r = p.random;
  const int64_t depth = r.Int(1, 200);
  const int64_t columns = r.Int(1, 90);
  p.input = is_gemm || r.Chance() ? Shape{r.Int(1, 40), depth} : Shape{2, r.Int(1, 9), depth};
  const ValueId x = p.Real16(p.Input("x", p.input));
  Shape out = p.input;
  out.back() = columns;
  const bool transposed = is_gemm && r.Chance();
  const ValueId w =
      transposed ? p.Weights({columns, depth}, 0, depth) : p.Weights({depth, columns}, 1, depth);
  if (is_gemm) {
    std::vector<ValueId> inputs = {x, w};
    if (r.Chance()) inputs.push_back(p.Bias(columns));
    p.Finish(p.Op("Gemm", inputs, Attr("transB", int64_t{transposed})), out);
  } else {
    p.Finish(p.Op("MatMul", {x, w}), out);
  }
  p.text = Cat("seed ", seed, ": ", is_gemm ? "Gemm" : "MatMul", " of ", ToString(p.input), " to ",
               ToString(out));
  return p;
}

std::vector<Tensor> RunWith(const Graph& graph, const std::vector<Tensor>& inputs,
                            int64_t threads) {
  auto session = Session::Create(std::make_shared<const Graph>(graph), {.threads = threads});
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  std::vector<Tensor> outputs(graph.outputs.size());
  const Status status = (*session)->Run(inputs, outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return outputs;
}

bool SameBits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.data<void>(), b.data<void>(), static_cast<size_t>(a.bytes())) == 0;
}

// Sums of bytes are exact; then every number is rounded to f32 a few times: 2^-24 of the largest
// sum that there can be, eight times over. Rounded to integers afterwards, a near-tie may fall to
// the other side.
void ExpectSplit(Problem p) {
  std::vector<Tensor> inputs;
  for (const ValueId id : p.graph.inputs)
    inputs.push_back(RandomTensor(*p.graph.value(id).shape, ++p.seed, -1.1f, 1.1f));
  const Graph compiled = Compiled(p.graph, inputs);
  cr_assert_eq(CountOps(compiled, "SplitInt16"), 1, "%s\n%s", p.text.c_str(),
               Print(compiled).c_str());
  const std::vector<Tensor> found = RunWith(p.graph, inputs, 1);
  const Result<std::vector<Tensor>> wanted = Interpret(p.graph, inputs);
  cr_assert(wanted.ok(), "%s", wanted.status().message().c_str());
  const double absolute = p.bound * 0x1p-21 + p.step * 1.001;
  const std::string difference = Differs(found[0], (*wanted)[0], {.absolute = absolute});
  cr_assert(difference.empty(), "%s: %s\n%s", p.text.c_str(), difference.c_str(),
            Print(compiled).c_str());
  for (const int64_t threads : {2, 4})
    cr_assert(SameBits(RunWith(p.graph, inputs, threads)[0], found[0]), "%s", p.text.c_str());
}

// x in 16 bits into a product with the given weights.
struct Small : GraphBuilder {
  ValueId x = Input("x", {2, 3});
  ValueId Weights(float scale = 0.01f) {
    return Dequantize<int8_t>(Constant(TensorOf<int8_t>({3, 2}, {1, -128, 127, 4, -5, 6})), scale,
                              0);
  }
  ValueId Read(float scale = kScale, int16_t zero_point = 0) {
    return FakeQuantize<int16_t>(x, scale, zero_point);
  }
};

int64_t Splits(const Graph& graph, const Tensor& x) {
  const Graph compiled = Compiled(graph, {x});
  ExpectSame(compiled, graph, {x}, {.relative = 1e-5, .absolute = 1e-6});
  return CountOps(compiled, "SplitInt16");
}

const Tensor kRows = RandomTensor({2, 3}, 1);

}  // namespace

Test(split_int16, convolutions_equal_the_plain_graph) {
  for (uint32_t seed = 0; seed < 60; ++seed) ExpectSplit(RandomConv(seed * 100, false));
}

Test(split_int16, depthwise_convolutions_equal_the_plain_graph) {
  for (uint32_t seed = 0; seed < 40; ++seed) ExpectSplit(RandomConv(seed * 100 + 50, true));
}

Test(split_int16, products_of_matrices_equal_the_plain_graph) {
  for (uint32_t seed = 0; seed < 40; ++seed) ExpectSplit(RandomProduct(seed * 100, false));
  for (uint32_t seed = 0; seed < 40; ++seed) ExpectSplit(RandomProduct(seed * 100 + 50, true));
}

// Zero is not a byte of zeros in the upper half.
Test(split_int16, padding_is_zero_in_both_bytes) {
  GraphBuilder b;
  const ValueId x = b.FakeQuantize<int16_t>(b.Input("x", {1, 1, 2, 2}), 1.0f, 0);
  const ValueId w = b.Dequantize<int8_t>(
      b.Constant(TensorOf<int8_t>({1, 1, 3, 3}, std::vector<int8_t>(9, 1))), 1.0f, 0);
  b.Output(b.Op("Conv", {x, w}, Attr("pads", Twice(2, 2))));
  const Tensor image = TensorOf<float>({1, 1, 2, 2}, {-32768, 255, -1, 1000});
  const Tensor y = RunWith(b.graph, {image}, 1)[0];
  cr_assert_eq(y.elements(), 16);
  const float wanted[] = {-32768, -32513, -32513, 255,  -32769, -31514, -31514, 1255,
                          -32769, -31514, -31514, 1255, -1,     999,    999,    1000};
  for (size_t i = 0; i < 16; ++i) cr_expect_eq(y.data<float>()[i], wanted[i], "element %zu", i);
}

Test(split_int16, two_products_are_in_integers_and_share_weights) {
  Small b;
  b.Output(b.Op("Relu", {b.Op("MatMul", {b.Read(), b.Weights()})}));
  const Graph compiled = Compiled(b.graph, {kRows});
  cr_assert_eq(compiled.nodes.size(), 3, "%s", Print(compiled).c_str());  // and no QuantizeLinear
  const Node& high = compiled.nodes[1];
  const Node& low = compiled.nodes[2];
  cr_expect_eq(high.inputs[1], low.inputs[1]);
  cr_expect_eq(low.post_ops.size(), 2);
  cr_expect_eq(high.post_ops.size(), 0);
  const QParams& high_meaning = *compiled.value(high.inputs[0]).qparams;
  cr_expect_eq(high_meaning.zero_points[0], 128);
  cr_expect_eq(high_meaning.scales[0], 256 * kScale);
  cr_expect_eq(compiled.value(low.inputs[0]).qparams->zero_points[0], 0);
}

Test(split_int16, readers_of_one_value_share_its_bytes) {
  Small b;
  const ValueId x = b.Read();
  b.Output(b.Op("MatMul", {x, b.Weights()}));
  b.Output(b.Op("MatMul", {x, b.Weights(0.5f)}));
  b.Output(b.Op("Abs", {x}));  // reads the 16-bit numbers themselves
  cr_expect_eq(Splits(b.graph, kRows), 1);
}

Test(split_int16, numbers_that_were_moved_are_split_where_they_are) {
  Small b;
  const ValueId q = b.Quantize<int16_t>(b.x, kScale, 0);
  const ValueId turned = b.Op("Transpose", {b.Op("Transpose", {q})});
  b.Output(b.Op("MatMul", {b.Dequantize<int16_t>(turned, kScale, 0), b.Weights()}));
  b.Output(q);
  cr_expect_eq(Splits(b.graph, kRows), 1);
}

Test(split_int16, a_zero_point_keeps_the_product_in_float) {
  Small b;
  b.Output(b.Op("MatMul", {b.Read(kScale, 7), b.Weights()}));
  cr_expect_eq(Splits(b.graph, kRows), 0);
}

Test(split_int16, float_and_computed_weights_keep_it_in_float) {
  Small b;
  b.Output(b.Op("MatMul", {b.Read(), b.Constant(RandomTensor({3, 2}, 2))}));
  b.Output(b.Op("MatMul", {b.Read(), b.FakeQuantize<int8_t>(b.Op("Transpose", {b.x}), 0.01f, 0)}));
  cr_expect_eq(Splits(b.graph, kRows), 0);
}

Test(split_int16, a_scale_that_would_overflow_keeps_it_in_float) {
  Small b;
  b.Output(b.Op("MatMul", {b.Read(FLT_MAX / 128), b.Weights(1e-30f)}));
  cr_expect_eq(Splits(b.graph, kRows), 0);
}
