// Tests of pull_selection on the last layer of a transformer.
#include "unit/passes/pull.h"
#include "unit/passes/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// The last layer, of two heads, and a classifier that reads one token.
struct Layer {
  static constexpr int64_t kSize = 32;
  bool is_quantized = true;
  bool is_masked = false;
  bool norm_first = true;  // as in ViT; BERT normalizes behind the residuals
};

struct LayerBuilder : Tokens {
  explicit LayerBuilder(const Layer& l) : layer(l) {}

  ValueId Rounded(ValueId in) {
    return layer.is_quantized ? FakeQuantize<uint8_t>(in, 0.03f, 128) : in;
  }
  ValueId RoundedEvenly(ValueId in) {
    return layer.is_quantized ? FakeQuantize<int8_t>(in, 0.03f, 0) : in;
  }
  ValueId Narrow(const Shape& shape) {
    const ValueId w = Weight(shape);
    if (!layer.is_quantized) return w;
    return Dequantize<int8_t>(
        Constant(
            *intmill::Quantize(*graph.ConstantOf(w),
                               {.dtype = DType::kS8, .scales = {1.0f / 127}, .zero_points = {0}})),
        1.0f / 127, 0);
  }
  ValueId Linear(ValueId in, int64_t from, int64_t to) {
    return Op("Add", {Op("MatMul", {in, Narrow({from, to})}), Weight({to})});
  }
  ValueId Heads(ValueId in, const std::vector<int64_t>& order) {
    const ValueId split = Op("Reshape", {in, Ints({0, 0, 2, Layer::kSize / 2})});
    return Op("Transpose", {split}, Attr("perm", order));
  }
  ValueId WideNorm(ValueId in) {
    return Op("LayerNormalization", {in, Weight({Layer::kSize}), Weight({Layer::kSize})},
              Attr("axis", int64_t{-1}));
  }

  ValueId Attend(ValueId in) {
    const int64_t n = Layer::kSize;
    const ValueId q = Heads(Rounded(Linear(in, n, n)), {0, 2, 1, 3});
    const ValueId k = Heads(RoundedEvenly(Linear(in, n, n)), {0, 2, 3, 1});
    const ValueId v = Heads(RoundedEvenly(Linear(in, n, n)), {0, 2, 1, 3});
    ValueId scores = Op("Mul", {Op("MatMul", {q, k}), Float(0.25f)});
    if (layer.is_masked) scores = Op("Add", {scores, Weight({2, 1, 1, kTokens})});
    const ValueId mixed = Op("MatMul", {Op("Softmax", {scores}), v});
    const ValueId joined =
        Op("Reshape", {Op("Transpose", {mixed}, Attr("perm", std::vector<int64_t>{0, 2, 1, 3})),
                       Ints({0, 0, n})});
    return Linear(Rounded(joined), n, n);
  }
  ValueId Widen(ValueId in) {
    const ValueId wide = Op("Gelu", {Rounded(Linear(in, Layer::kSize, 48))});
    return Linear(Rounded(wide), 48, Layer::kSize);
  }

  Layer layer;
};

GraphBuilder Make(const Layer& layer) {
  LayerBuilder b(layer);
  b.graph.value(b.x).shape = Shape{2, kTokens, Layer::kSize};
  ValueId y = b.x;
  for (int i = 0; i < 2; ++i) {
    const auto sublayer = [&](ValueId in) { return i == 0 ? b.Attend(in) : b.Widen(in); };
    if (layer.norm_first) {
      y = b.Op("Add", {y, sublayer(b.Rounded(b.WideNorm(y)))});
    } else {
      y = b.WideNorm(b.Op("Add", {y, sublayer(b.Rounded(y))}));
    }
  }
  if (layer.norm_first) y = b.WideNorm(y);
  b.Output(b.Op("Gemm", {b.TakeOne(b.Rounded(y), 0), b.Narrow({Layer::kSize, 10})}));
  return b;
}

}  // namespace

Test(pull_selection, of_a_transformers_last_layer_keys_and_values_alone_have_all_rows) {
  for (const bool norm_first : {false, true}) {
    for (const bool is_masked : {false, true}) {
      const Pulled pulled =
          Pull(Make({.is_quantized = false, .is_masked = is_masked, .norm_first = norm_first}));
      int64_t whole = 0;
      for (const Node& node : pulled.graph.nodes) {
        const Shape& shape = *pulled.graph.value(node.outputs[0]).shape;
        if (node.op->name == "MatMul" && shape == Shape{2, kTokens, Layer::kSize}) ++whole;
      }
      cr_expect_eq(whole, 2, "%s", Print(pulled.graph).c_str());
      // Of x, for the residual, and of what queries are made of.
      cr_expect_eq(CountOps(pulled.graph, "Gather"), norm_first ? 2 : 1);
    }
  }
}

Test(pull_selection, a_quantized_layer_computes_the_same_bits_with_the_same_fusions) {
  for (const bool norm_first : {false, true}) {
    for (const bool is_masked : {false, true}) {
      const GraphBuilder b = Make({.is_masked = is_masked, .norm_first = norm_first});
      cr_expect_gt(Pull(b).moves, 0);
      const Graph& graph = b.graph;
      const Graph compiled = Compiled(graph, InputsOf(graph));
      cr_expect_eq(CountOps(compiled, "QuantizedAttention"), 1, "%s", Print(compiled).c_str());
      cr_expect_eq(CountOps(compiled, "MatMul"), 0, "%s", Print(compiled).c_str());
      int64_t of_one_token = 0;  // queries, output, both of the wide part; the classifier
      for (const Node& node : compiled.nodes)
        of_one_token += node.op->name == "Gemm" && (*compiled.value(node.outputs[0]).shape)[0] == 2;
      cr_expect_eq(of_one_token, 5, "%s", Print(compiled).c_str());
      const Tensor plain = RunPlan(graph, 1, {"pull_selection"})[0];
      const std::string difference = Differs(RunPlan(graph, 1, {})[0], plain, {});
      cr_expect(difference.empty(), "%s", difference.c_str());
    }
  }
}
