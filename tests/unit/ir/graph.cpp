// Tests of building graphs, their order, and pruning.
#include "ir/graph.h"

#include <criterion/criterion.h>

#include "ir/print.h"
#include "unit/ir/test_ops.h"

using namespace intmill;

Test(names, a_taken_name_gets_a_suffix) {
  Graph graph;
  graph.AddValue("x");
  cr_expect_eq(graph.value(graph.AddValue("x")).name, "x_1");
  cr_expect_eq(graph.value(graph.AddValue("x")).name, "x_2");
  cr_expect_eq(graph.value(graph.AddValue("x_1")).name, "x_1_1");
  cr_expect_eq(graph.AddNode("", &kNegate, {}, {}).name, "node");
}

Test(names, values_added_by_hand_count) {
  Graph graph;
  graph.AddValue("a");
  graph.values.push_back({.name = "b"});
  cr_expect_eq(graph.UniqueValueName("b"), "b_1");
}

Test(names, a_changed_list_is_noticed) {
  Graph graph;
  for (const char* name : {"a", "b", "c"}) graph.AddValue(name);
  graph.values.erase(graph.values.begin());
  graph.values.push_back({.name = "d"});
  graph.values.push_back({.name = "e"});
  cr_expect_eq(graph.UniqueValueName("a"), "a");
  cr_expect_eq(graph.UniqueValueName("d"), "d_1");
}

Test(names, a_hundred_thousand_equal_ones_take_little_time, .timeout = 10) {
  Graph graph;
  for (int i = 0; i < 100000; ++i) graph.AddValue("same");
  cr_expect_eq(graph.values.back().name, "same_99999");
}

Test(graph, constants_are_found_behind_their_values) {
  Graph graph;
  const ValueId c = graph.AddConstant("c", *Tensor::Scalar(2.0f));
  const ValueId x = graph.AddValue("x");
  cr_expect_eq(graph.ConstantOf(c)->values<float>()[0], 2);
  cr_expect_null(graph.ConstantOf(x));
  cr_expect_null(graph.ConstantOf(kNoValue));
  cr_expect_null(graph.ConstantOf(99));
}

Test(uses, know_makers_and_readers) {
  Chain chain;
  chain.graph.AddNode("third", &kTotal, {chain.a, chain.a, kNoValue}, {chain.graph.AddValue("c")});
  const Uses uses = FindUses(chain.graph);
  cr_expect_eq(uses.producer[static_cast<size_t>(chain.x)], Uses::kNone);
  cr_expect_eq(uses.producer[static_cast<size_t>(chain.b)], 1);
  cr_expect(std::ranges::equal(uses.consumers[static_cast<size_t>(chain.a)], std::vector{1, 2, 2}));
  cr_expect(uses.is_output[static_cast<size_t>(chain.b)]);
  cr_expect_not(uses.is_output[static_cast<size_t>(chain.a)]);
}

Test(uses, can_be_replaced_in_nodes_and_outputs) {
  Chain chain;
  ReplaceUses(chain.graph, chain.a, chain.x);
  ReplaceUses(chain.graph, chain.b, chain.a);
  cr_expect_eq(chain.graph.nodes[1].inputs[0], chain.x);
  cr_expect_eq(chain.graph.outputs[0], chain.a);
}

Test(sort, producers_come_first) {
  Chain chain;
  std::swap(chain.graph.nodes[0], chain.graph.nodes[1]);
  cr_assert(SortTopologically(chain.graph).ok());
  cr_expect_eq(chain.graph.nodes[0].name, "first");
  cr_expect_eq(chain.graph.nodes[1].name, "second");
}

Test(sort, an_order_that_is_right_is_kept) {
  Graph graph;
  const ValueId x = graph.AddValue("x");
  graph.inputs = {x};
  for (const char* name : {"c", "a", "b"})
    graph.AddNode(name, &kNegate, {x}, {graph.AddValue(name)});
  cr_assert(SortTopologically(graph).ok());
  cr_expect_eq(graph.nodes[0].name, "c");
  cr_expect_eq(graph.nodes[1].name, "a");
}

Test(sort, a_cycle_names_a_node_on_it) {
  Chain chain;
  const ValueId c = chain.graph.AddValue("c");
  chain.graph.nodes[0].inputs = {chain.b};
  chain.graph.AddNode("after", &kNegate, {chain.b}, {c});
  std::swap(chain.graph.nodes[0], chain.graph.nodes[2]);  // "after" waits too, and comes first
  const Status status = SortTopologically(chain.graph);
  cr_expect_eq(status.code(), Code::kBadFormat);
  cr_expect_eq(status.message().find("node 'after'"), std::string::npos, "%s",
               status.message().c_str());
  cr_expect_eq(chain.graph.nodes.size(), 3);
}

Test(sort, a_value_made_twice_does_not_double_its_readers) {
  Chain chain;
  chain.graph.AddNode("again", &kNegate, {chain.x}, {chain.a});
  cr_expect(SortTopologically(chain.graph).ok());
  cr_expect_eq(chain.graph.nodes.size(), 3);
  for (const Node& node : chain.graph.nodes) cr_expect_not(node.name.empty());
}

Test(prune, drops_what_no_output_needs) {
  Chain chain;
  chain.graph.AddNode("unused", &kNegate, {chain.a}, {chain.graph.AddValue("unused")});
  chain.graph.AddConstant("stray", *Tensor::Scalar(1.0f));
  Prune(chain.graph);
  cr_expect_eq(chain.graph.nodes.size(), 2);
  cr_expect_eq(chain.graph.values.size(), 3);
}

Test(prune, keeps_inputs_that_nothing_reads_and_renumbers) {
  Chain chain;
  chain.graph.values.insert(chain.graph.values.begin(), Value{.name = "stray"});
  for (Node& node : chain.graph.nodes) {
    for (ValueId& id : node.inputs) ++id;
    for (ValueId& id : node.outputs) ++id;
  }
  chain.graph.inputs = {1};
  chain.graph.outputs = {1};
  Prune(chain.graph);
  cr_expect(chain.graph.nodes.empty());
  cr_assert_eq(chain.graph.values.size(), 1);
  cr_expect_eq(chain.graph.value(chain.graph.inputs[0]).name, "x");
  cr_expect_eq(chain.graph.outputs[0], 0);
}

Test(print, shows_types_shapes_attributes_and_post_ops) {
  Chain chain;
  Node& node = chain.graph.nodes[1];
  node.attrs.Set("axes", std::vector<int64_t>{1, 2});
  node.attrs.Set("mode", std::string("edge"));
  node.post_ops.push_back({.kind = PostOp::Kind::kRelu});
  node.inputs.push_back(kNoValue);
  node.inputs.push_back(chain.graph.AddConstant("w", *Tensor::Make(DType::kS8, {3, 4})));
  cr_expect_eq(Print(chain.graph),
               "input x: f32 2x?\n"
               "a: none unknown rank = Negate 'first' (x)\n"
               "b: none unknown rank = Negate 'second' (a, -, w: s8 3x4 constant) axes=1,2 "
               "mode=\"edge\" +relu\n"
               "output b\n");
}

Test(place, names_node_and_operator) {
  const Chain chain;
  cr_expect_eq(Place(chain.graph.nodes[0]), "node 'first' (Negate)");
}
