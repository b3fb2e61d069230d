// Tests of attributes.
#include "ir/attributes.h"

#include <criterion/criterion.h>

using namespace intmill;

Test(attributes, absent_ones_have_the_fallback) {
  const Attributes attributes;
  cr_expect_eq(*attributes.Int("axis", 3), 3);
  cr_expect_eq(*attributes.Float("alpha", 0.5f), 0.5f);
  cr_expect_eq(*attributes.String("mode", "linear"), "linear");
  cr_expect(*attributes.Ints("pads", {1, 2}) == std::vector<int64_t>({1, 2}));
  cr_expect(attributes.Floats("scales", {})->empty());
}

Test(attributes, present_ones_are_read) {
  Attributes attributes;
  attributes.Set("axis", int64_t{-1});
  attributes.Set("pads", std::vector<int64_t>{0, 1});
  cr_expect_eq(*attributes.Int("axis", 3), -1);
  cr_expect(*attributes.Ints("pads", {}) == std::vector<int64_t>({0, 1}));
}

Test(attributes, another_type_is_an_error_that_names_the_attribute) {
  Attributes attributes;
  attributes.Set("axis", 1.0f);
  const Result<int64_t> axis = attributes.Int("axis", 0);
  cr_expect_eq(axis.status().code(), Code::kBadFormat);
  cr_expect_eq(axis.status().message(), "attribute 'axis' is a float, wanted an integer");
}

Test(attributes, can_be_replaced_and_removed) {
  Attributes attributes;
  attributes.Set("a", int64_t{1});
  attributes.Set("a", int64_t{2});
  cr_expect_eq(*attributes.Int("a", 0), 2);
  attributes.Remove("a");
  attributes.Remove("b");
  cr_expect_not(attributes.Has("a"));
}
