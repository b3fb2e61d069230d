// SumByLayer: steps are found by the names that quantizing and compiling give them.
#include "cli/layer_times.h"

#include <criterion/criterion.h>

namespace {

using namespace intmill::cli;

// image -> conv -> a -> relu -> b -> fc -> logits
std::vector<LayerInfo> MakeLayers() {
  return {{.name = "conv", .op = "Conv", .inputs = {"image", "w"}, .outputs = {"a"}},
          {.name = "relu", .op = "Relu", .inputs = {"a"}, .outputs = {"b"}},
          {.name = "fc", .op = "Gemm", .inputs = {"b", "v"}, .outputs = {"logits"}}};
}

StepTime Step(const char* layer, const char* op, double microseconds, const char* dtype = "f32") {
  return {.layer = layer, .op = op, .dtype = dtype, .microseconds = microseconds};
}

}  // namespace

Test(layer_times, a_step_counts_for_the_layer_of_its_name) {
  const LayerTimes times =
      SumByLayer(MakeLayers(), {Step("fc", "Gemm", 3), Step("conv", "Conv", 2)});
  cr_expect_eq(times.microseconds[0], 2);
  cr_expect_eq(times.microseconds[2], 3);
  cr_expect_eq(times.total, 5);
  cr_expect(times.has_step[0] && !times.has_step[1] && times.has_step[2]);
  cr_expect(times.others.empty());
}

Test(layer_times, quantizing_counts_for_the_reader) {
  const LayerTimes times = SumByLayer(MakeLayers(), {Step("image_quantize", "QuantizeLinear", 1),
                                                     Step("b_quantize", "QuantizeLinear", 4)});
  cr_expect_eq(times.microseconds[0], 1);
  cr_expect_eq(times.microseconds[2], 4);
  cr_expect(!times.has_step[0], "a conversion is no step of the layer's own");
}

Test(layer_times, dequantizing_counts_for_the_maker) {
  const LayerTimes times =
      SumByLayer(MakeLayers(), {Step("logits_dequantize", "DequantizeLinear", 1),
                                Step("b_dequantize", "DequantizeLinear", 2)});
  cr_expect_eq(times.microseconds[2], 1);
  cr_expect_eq(times.microseconds[1], 2);
}

Test(layer_times, rounding_to_bf16_counts_for_the_reader) {
  const LayerTimes times =
      SumByLayer(MakeLayers(), {Step("image_to_bf16", "Cast", 1, "bf16"),
                                Step("b_to_bf16", "Cast", 2, "bf16"), Step("b_cast", "Cast", 4)});
  cr_expect_eq(times.microseconds[0], 1);
  cr_expect_eq(times.microseconds[2], 6);
}

Test(layer_times, reordering_an_integer_value_counts_for_the_reader) {
  const LayerTimes times = SumByLayer(
      MakeLayers(), {Step("b_quantized", "Reorder", 1, "u8"), Step("logits_real", "Reorder", 2)});
  cr_expect_eq(times.microseconds[2], 3);
  cr_expect(!times.is_int8[2], "a reorder computes nothing");
}

Test(layer_times, a_value_with_the_name_of_another_layer_is_told_apart) {
  std::vector<LayerInfo> layers = MakeLayers();
  layers[0].outputs = {"fc"};
  layers[1].inputs = {"fc"};
  const LayerTimes times = SumByLayer(layers, {Step("fc", "Reorder", 1), Step("fc", "Gemm", 2)});
  cr_expect_eq(times.microseconds[1], 1);
  cr_expect_eq(times.microseconds[2], 2);
}

Test(layer_times, a_step_made_for_a_layer_counts_for_it_but_is_not_its_own) {
  const LayerTimes times = SumByLayer(
      MakeLayers(), {Step("fc_zero_point", "Cast", 1, "u8"), Step("fc.rows", "Slice", 2)});
  cr_expect_eq(times.microseconds[2], 3);
  cr_expect(!times.has_step[2] && !times.is_int8[2]);
}

Test(layer_times, numbers_that_make_a_conversion_unique_are_seen_through) {
  const LayerTimes times = SumByLayer(MakeLayers(), {Step("b_quantize_1_2", "QuantizeLinear", 1),
                                                     Step("b_3", "QuantizeLinear", 2)});
  cr_expect_eq(times.microseconds[2], 1);
  cr_assert_eq(times.others.size(), 1u);
  cr_expect_str_eq(times.others[0].layer.c_str(), "b_3", "a number may belong to a name");
}

Test(layer_times, steps_of_no_layer_are_listed_and_summed) {
  const LayerTimes times = SumByLayer(MakeLayers(), {Step("elsewhere", "QuantizeLinear", 7)});
  cr_assert_eq(times.others.size(), 1u);
  cr_expect_eq(times.others[0].microseconds, 7);
  cr_expect_eq(times.total, 7);
}

Test(layer_times, a_layer_that_reads_bytes_computes_in_integers) {
  const LayerTimes times =
      SumByLayer(MakeLayers(), {Step("conv", "Conv", 1, "u8"), Step("fc", "Gemm", 1, "f32")});
  cr_expect(times.is_int8[0]);
  cr_expect(!times.is_int8[2]);
}
