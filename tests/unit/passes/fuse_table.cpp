// Tests of fuse_table: the pass, and that plans give the same bits with it as without.
#include <cstring>

#include "unit/passes/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

struct Network {
  std::string op = "Swish";
  std::string producer = "Conv";
  int64_t group = 1;
  int64_t channels = 8;
  int64_t size = 6;  // of the image; rows of a product
  bool is_signed = false;
  bool reshapes = false;     // between the product and the function
  bool has_addend = false;   // a residual in 8 bits
  bool others_read = false;  // what is in front of the table
  bool is_wide = false;      // what is in front of the table is read in floats
};

ValueId Rounded(GraphBuilder& b, ValueId x, float scale, bool is_signed) {
  return is_signed ? b.FakeQuantize<int8_t>(x, scale, -7) : b.FakeQuantize<uint8_t>(x, scale, 103);
}

ValueId Weights(GraphBuilder& b, Shape shape) {
  const Tensor floats = RandomTensor(shape, 5);
  return b.Dequantize<int8_t>(
      b.Constant(*Quantize(floats, {.dtype = DType::kS8, .scales = {0.01f}, .zero_points = {0}})),
      0.01f, 0);
}

ValueId Sum(GraphBuilder& b, const Network& n) {
  if (n.producer == "Conv") {
    const ValueId x = Rounded(b, b.Input("x", {2, n.channels, n.size, n.size}), 0.01f, false);
    const ValueId w = Weights(b, {n.channels, n.channels / n.group, 3, 3});
    return b.Op("Conv", {x, w}, With(Attr("group", n.group), "pads", std::vector<int64_t>(4, 1)));
  }
  const ValueId x = Rounded(b, b.Input("x", {n.size, 40}), 0.01f, false);
  return b.Op(n.producer, {x, Weights(b, {40, n.channels})});
}

Graph Make(const Network& n) {
  GraphBuilder b;
  ValueId sum = Sum(b, n);
  if (n.has_addend)
    sum = b.Op("Add", {sum, Rounded(b, b.Input("r", {n.size, n.channels}), 0.02f, false)});
  ValueId y = n.is_wide ? sum : Rounded(b, sum, 0.02f, n.is_signed);
  if (n.others_read) b.Output(y);
  if (n.reshapes) y = Rounded(b, b.Op("Reshape", {y, b.Ints({-1})}), 0.02f, n.is_signed);
  b.Output(Rounded(b, b.Op(n.op, {y}), 0.011f, n.is_signed));
  return b.graph;
}

Graph Fused(const Graph& graph) { return Compiled(graph, InputsOf(graph)); }

int64_t Tables(const Graph& graph) {
  return std::ranges::count_if(graph.nodes, [](const Node& node) {
    return !node.post_ops.empty() && node.post_ops.back().kind == PostOp::Kind::kTable;
  });
}

void ExpectSameBits(const Graph& graph) {
  cr_assert_eq(Tables(Fused(graph)), 1, "%s", Print(Fused(graph)).c_str());
  const Tensor wanted = RunPlan(graph, 1, {"fuse_table"})[0];
  for (const int64_t threads : {1, 2, 4}) {
    const Tensor found = RunPlan(graph, threads, {})[0];
    cr_assert_eq(found.bytes(), wanted.bytes());
    cr_expect(std::memcmp(found.data<void>(), wanted.data<void>(),
                          static_cast<size_t>(wanted.bytes())) == 0,
              "%d threads\n%s", static_cast<int>(threads), Print(Fused(graph)).c_str());
  }
}

}  // namespace

Test(fuse_table, functions_of_bytes_become_a_step_of_what_makes_the_bytes) {
  for (const char* op : {"Gelu", "Swish", "HardSwish", "Sigmoid", "Tanh"}) {
    for (const char* producer : {"Conv", "Gemm", "MatMul"}) {
      const Graph graph = Make({.op = op, .producer = producer});
      const Graph fused = Fused(graph);
      cr_expect_eq(Tables(fused), 1, "%s", Print(fused).c_str());
      cr_expect_eq(CountOps(fused, op), 0, "%s", Print(fused).c_str());
      const Graph plain = Compiled(graph, InputsOf(graph), {.disabled = {"fuse_table"}});
      cr_expect_eq(CountOps(plain, op), 1, "%s", Print(plain).c_str());
      ExpectSame(fused, plain, InputsOf(graph));
    }
  }
}

Test(fuse_table, plans_give_the_same_bits_with_it_and_without) {
  for (const bool is_signed : {false, true}) {
    for (const int64_t channels : {20, 64, 150}) {
      ExpectSameBits(Make({.channels = channels, .is_signed = is_signed}));
      ExpectSameBits(Make({.group = channels, .channels = channels, .is_signed = is_signed}));
      ExpectSameBits(Make({.op = "Gelu",
                           .producer = "Gemm",
                           .channels = channels,
                           .size = 700,
                           .is_signed = is_signed,
                           .has_addend = true}));
    }
  }
}

Test(fuse_table, the_bytes_may_change_their_shape_in_between) {
  const Graph graph = Make({.op = "Gelu", .producer = "Gemm", .reshapes = true});
  cr_expect_eq(CountOps(Fused(graph), "Gelu"), 0, "%s", Print(Fused(graph)).c_str());
  ExpectSameBits(graph);
}

Test(fuse_table, bytes_that_others_read_are_written) {
  const Graph fused = Fused(Make({.others_read = true}));
  cr_expect_eq(Tables(fused), 0, "%s", Print(fused).c_str());
  cr_expect_eq(CountOps(fused, "Swish"), 1, "%s", Print(fused).c_str());
}

Test(fuse_table, functions_of_floats_are_left_alone) {
  const Graph fused = Fused(Make({.op = "Gelu", .is_wide = true}));
  cr_expect_eq(Tables(fused), 0, "%s", Print(fused).c_str());
}

Test(fuse_table, a_product_takes_one_table) {
  GraphBuilder b;
  ValueId y = Rounded(b, Sum(b, {}), 0.02f, false);
  for (const char* op : {"Gelu", "Tanh"}) y = Rounded(b, b.Op(op, {y}), 0.01f, true);
  b.Output(y);
  const Graph fused = Fused(b.graph);
  cr_expect_eq(Tables(fused), 1, "%s", Print(fused).c_str());
  cr_expect_eq(CountOps(fused, "Tanh"), 1, "%s", Print(fused).c_str());
  ExpectSameBits(b.graph);
}
