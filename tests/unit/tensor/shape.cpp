// Tests of shapes, their limits, and element types.
#include "tensor/shape.h"

#include <criterion/criterion.h>

#include "tensor/dtype.h"

using namespace intmill;

namespace {

void ExpectBroadcast(const Shape& a, const Shape& b, const Shape& wanted) {
  const Result<Shape> result = BroadcastShapes(a, b);
  cr_assert(result.ok(), "%s", result.status().message().c_str());
  cr_expect(*result == wanted, "found %s", ToString(*result).c_str());
}

}  // namespace

Test(dtype, sizes_and_ranges_are_those_of_the_type) {
  cr_expect_eq(BitsOf(DType::kF16), 16);
  cr_expect_eq(BitsOf(DType::kS4), 4);
  cr_expect_eq(MinOf(DType::kS8), -128);
  cr_expect_eq(MaxOf(DType::kU4), 15);
  cr_expect_eq(MinOf(DType::kS32), INT32_MIN);
  cr_expect_str_eq(DTypeName(DType::kBf16), "bf16");
}

Test(dtype, numbers_from_files_that_are_no_type_are_not_known) {
  cr_expect_not(IsKnown(static_cast<DType>(12)));
  cr_expect_not(IsKnown(static_cast<DType>(-1)));
  cr_expect_not(IsKnown(DType::kNone));
  cr_expect_str_eq(DTypeName(static_cast<DType>(99)), "none");
}

Test(shape, reads_as_people_write_it) {
  cr_expect_eq(ToString({1, 3, kDynamic}), "1x3x?");
  cr_expect_eq(ToString({}), "scalar");
}

Test(shape, four_bit_elements_are_packed_two_to_a_byte) {
  cr_expect_eq(NumBytes({3}, DType::kU4), 2);
  cr_expect_eq(NumBytes({2, 2}, DType::kS4), 2);
}

Test(shape, the_limits_are_inside) {
  cr_expect(CheckShape(Shape(12, 1), DType::kF32).ok());
  cr_expect(CheckShape({kMaxDim}, DType::kU8).ok());
  cr_expect(CheckShape({int64_t{1} << 23, int64_t{1} << 23}, DType::kU8).ok());
}

Test(shape, one_beyond_a_limit_is_refused) {
  cr_expect_eq(CheckShape(Shape(13, 1), DType::kF32).code(), Code::kInvalidArgument);
  cr_expect_eq(CheckShape({kMaxDim + 1}, DType::kU8).code(), Code::kInvalidArgument);
  cr_expect_eq(CheckShape({-1}, DType::kU8).code(), Code::kInvalidArgument);
  cr_expect_eq(CheckShape({(int64_t{1} << 23) + 1, int64_t{1} << 23}, DType::kU8).code(),
               Code::kInvalidArgument);
  cr_expect_eq(CheckShape({1}, DType::kNone).code(), Code::kInvalidArgument);
}

Test(shape, a_product_beyond_64_bits_is_refused) {
  cr_expect_not(CheckShape(Shape(12, kMaxDim), DType::kF32).ok());
}

Test(shape, an_empty_tensor_may_have_large_other_dimensions) {
  Shape shape(12, kMaxDim);
  shape[11] = 0;
  cr_expect(CheckShape(shape, DType::kF32).ok());
  cr_expect_eq(NumElements(shape), 0);
  cr_expect_eq(RowMajorStrides(shape).size(), 12);
}

Test(shape, strides_count_elements) {
  cr_expect(RowMajorStrides({2, 3, 4}) == Shape({12, 4, 1}));
  cr_expect(RowMajorStrides({}) == Shape());
}

Test(axis, negative_ones_count_from_the_end) {
  cr_expect_eq(*NormalizeAxis(-1, 4), 3);
  cr_expect_eq(*NormalizeAxis(-4, 4), 0);
  cr_expect_eq(*NormalizeAxis(3, 4), 3);
}

Test(axis, others_are_refused) {
  cr_expect_eq(NormalizeAxis(4, 4).status().code(), Code::kShape);
  cr_expect_eq(NormalizeAxis(-5, 4).status().code(), Code::kShape);
  cr_expect_eq(NormalizeAxis(0, 0).status().code(), Code::kShape);
  cr_expect_eq(NormalizeAxis(INT64_MIN, 4).status().code(), Code::kShape);
}

Test(broadcast, follows_numpy) {
  ExpectBroadcast({2, 1, 3}, {4, 1}, {2, 4, 3});
  ExpectBroadcast({}, {5}, {5});
  ExpectBroadcast({0}, {1}, {0});
}

Test(broadcast, an_unknown_dimension_against_one_stays_unknown) {
  ExpectBroadcast({kDynamic}, {1}, {kDynamic});
  ExpectBroadcast({kDynamic}, {kDynamic}, {kDynamic});
}

Test(broadcast, an_unknown_dimension_against_another_becomes_it) {
  ExpectBroadcast({kDynamic, 2}, {7, 2}, {7, 2});
  ExpectBroadcast({7}, {kDynamic}, {7});
}

Test(broadcast, names_shapes_that_do_not_fit) {
  const Result<Shape> result = BroadcastShapes({2, 3}, {4, 3});
  cr_expect_eq(result.status().code(), Code::kShape);
  cr_expect_eq(result.status().message(), "shapes 2x3 and 4x3 do not broadcast");
}
