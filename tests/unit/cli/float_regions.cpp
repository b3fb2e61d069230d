// FindFloatRegions: given times, which layers go back into floats.
#include "cli/float_regions.h"

#include <criterion/criterion.h>

namespace {

using namespace intmill::cli;

constexpr double kMargin = 0.05;

LayerGroup Group(double float_us, double int8_us, double border_us = 0) {
  return {.float_us = float_us, .int8_us = int8_us, .is_int8 = true, .border_us = border_us};
}

// Each reads the one before it.
std::vector<LayerGroup> Chain(std::vector<LayerGroup> groups) {
  for (size_t i = 0; i < groups.size(); ++i) {
    groups[i].layers = {i};
    if (i > 0) groups[i].sources = {i - 1};
  }
  return groups;
}

std::vector<FloatRegion> Find(std::vector<LayerGroup> groups, double least_gain_us = 0) {
  return FindFloatRegions(Chain(std::move(groups)), kMargin, least_gain_us);
}

void ExpectGroups(const FloatRegion& region, const std::vector<size_t>& wanted) {
  cr_expect(region.groups == wanted);
}

// a -> conv -> b -> relu -> c -> pool -> d
std::vector<LayerInfo> MakeLayers() {
  return {{.name = "", .op = "Input", .outputs = {"a"}, .elements = 100},
          {.name = "conv", .op = "Conv", .inputs = {"a"}, .outputs = {"b"}, .elements = 400},
          {.name = "relu", .op = "Relu", .inputs = {"b"}, .outputs = {"c"}, .elements = 200},
          {.name = "pool", .op = "MaxPool", .inputs = {"c"}, .outputs = {"d"}, .elements = 50}};
}

StepTime Step(const char* layer, const char* op, double microseconds, const char* dtype) {
  return {.layer = layer, .op = op, .dtype = dtype, .microseconds = microseconds};
}

}  // namespace

Test(float_regions, faster_integers_stay) { cr_expect(Find({Group(10, 3), Group(8, 2)}).empty()); }

Test(float_regions, a_loss_within_the_margin_stays) {
  cr_expect(Find({Group(10, 10.4)}).empty());
  cr_assert_eq(Find({Group(10, 10.6)}).size(), 1u);
}

Test(float_regions, a_gain_too_small_to_be_seen_stays) {
  cr_expect(Find({Group(1, 2)}, 1.5).empty());
  cr_expect_eq(Find({Group(1, 2)}, 0.5).size(), 1u);
}

Test(float_regions, a_slow_layer_goes_back_alone) {
  const auto regions = Find({Group(10, 3, 1), Group(4, 9, 1), Group(10, 3, 1)});
  cr_assert_eq(regions.size(), 1u);
  ExpectGroups(regions[0], {1});
  cr_expect_float_eq(regions[0].gain_us, 9 - 4 - 2, 1e-9);
}

Test(float_regions, new_conversions_may_cost_more_than_a_slow_layer) {
  cr_expect(Find({Group(10, 3, 3), Group(4, 9, 3), Group(10, 3, 3)}).empty());
}

Test(float_regions, a_fast_layer_between_slow_ones_goes_with_them) {
  const auto regions = Find({Group(1, 9, 5), Group(4, 3, 5), Group(1, 9, 5), Group(50, 10, 5)});
  cr_assert_eq(regions.size(), 1u);
  ExpectGroups(regions[0], {0, 1, 2});
}

Test(float_regions, separate_regions_come_with_the_largest_gain_first) {
  const auto regions = Find({Group(1, 3), Group(10, 3), Group(1, 9)});
  cr_assert_eq(regions.size(), 2u);
  ExpectGroups(regions[0], {2});
  ExpectGroups(regions[1], {0});
}

Test(float_regions, a_layer_in_float_is_no_choice_and_no_border) {
  std::vector<LayerGroup> groups = {Group(1, 100, 50), Group(3, 4, 50)};
  groups[0].is_int8 = false;
  const auto regions = Find(std::move(groups));
  cr_assert_eq(regions.size(), 1u);
  ExpectGroups(regions[0], {1});
}

Test(float_regions, branches_that_meet_are_one_region) {
  std::vector<LayerGroup> groups = {Group(1, 5), Group(1, 5), Group(1, 5)};
  groups[2].sources = {0, 1};
  const auto regions = FindFloatRegions(groups, kMargin, 0);
  cr_assert_eq(regions.size(), 1u);
  ExpectGroups(regions[0], {0, 1, 2});
}

Test(float_regions, no_layers_have_no_regions) { cr_expect(Find({}).empty()); }

Test(float_regions, a_fused_layer_joins_the_layer_that_it_reads) {
  const std::vector<LayerInfo> layers = MakeLayers();
  const LayerTimes fp32 =
      SumByLayer(layers, {Step("conv", "Conv", 5, "f32"), Step("pool", "MaxPool", 2, "f32")});
  const LayerTimes int8 =
      SumByLayer(layers, {Step("a_quantize", "QuantizeLinear", 1, "f32"),
                          Step("conv", "Conv", 3, "u8"), Step("pool", "MaxPool", 1, "u8")});
  const std::vector<LayerGroup> groups = GroupLayers(layers, fp32, int8, 0.01);
  cr_assert_eq(groups.size(), 3u);
  cr_expect(!groups[0].is_int8);
  cr_expect(groups[1].layers == std::vector<size_t>({1, 2}));
  cr_expect(groups[1].sources == std::vector<size_t>({0}));
  cr_expect_eq(groups[1].float_us, 5);
  cr_expect_eq(groups[1].int8_us, 4, "quantizing its input is part of its price");
  cr_expect_float_eq(groups[1].border_us, 2, 1e-9, "its last layer's result crosses the border");
  cr_expect(groups[2].sources == std::vector<size_t>({1}));
}

Test(float_regions, the_price_of_a_conversion_is_an_average_over_elements) {
  const std::vector<StepTime> steps = {Step("a_quantize", "QuantizeLinear", 1, "f32"),
                                       Step("d_dequantize", "DequantizeLinear", 2, "u8"),
                                       Step("unknown", "QuantizeLinear", 9, "f32"),
                                       Step("conv", "Conv", 7, "u8")};
  cr_expect_float_eq(ConversionUsPerElement(MakeLayers(), steps), 3.0 / 150, 1e-12);
  cr_expect_eq(ConversionUsPerElement(MakeLayers(), {}), 0);
}
