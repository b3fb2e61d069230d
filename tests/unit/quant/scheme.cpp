// SchemeTable: which rule counts for a layer, and which rules count for none.
#include "quant/scheme.h"

#include <criterion/criterion.h>

using namespace intmill;

namespace {

void Skip(LayerScheme& scheme) { scheme.skip = true; }
void Keep(LayerScheme& scheme) { scheme.skip = false; }

}  // namespace

Test(scheme, an_empty_table_gives_the_defaults) {
  const LayerScheme scheme = SchemeTable().For("conv1");
  cr_assert(scheme.scheme == Scheme::kStatic);
  cr_assert(scheme.weight_dtype == DType::kS8);
  cr_assert(scheme.activation_dtype == DType::kU8);
  cr_assert(scheme.per_channel);
  cr_assert_not(scheme.skip);
}

Test(scheme, a_glob_reaches_the_layers_it_matches) {
  SchemeTable table;
  table.Add("block3.*", Skip);
  cr_assert(table.For("block3.conv1").skip);
  cr_assert_not(table.For("block30").skip);
}

Test(scheme, the_last_matching_rule_counts) {
  SchemeTable table;
  table.Add("conv*", Skip);
  table.Add("conv2", Keep);
  cr_assert(table.For("conv1").skip);
  cr_assert_not(table.For("conv2").skip);
}

Test(scheme, a_layer_rule_counts_more_than_one_for_all_set_later) {
  SchemeTable table;
  table.Add("conv1", Keep);
  table.Add("", Skip);
  cr_assert_not(table.For("conv1").skip);
  cr_assert(table.For("conv2").skip);
}

Test(scheme, patterns_without_a_layer_are_named) {
  SchemeTable table;
  table.Add("", Skip);
  table.Add("conv1", Skip);
  table.Add("cnov*", Skip);
  const std::vector<std::string> unmatched = table.Unmatched({"conv1", "conv2"});
  cr_assert_eq(unmatched.size(), 1);
  cr_assert(unmatched[0] == "cnov*");
}
