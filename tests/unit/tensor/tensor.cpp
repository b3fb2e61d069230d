// Tests of tensors: making, sharing, reshaping, reading, and 16-bit floats.
#include "tensor/tensor.h"

#include <bit>
#include <cmath>
#include <criterion/criterion.h>
#include <limits>

#include "tensor/half.h"

using namespace intmill;

Test(tensor, is_zeroed_and_aligned) {
  const Result<Tensor> t = Tensor::Make(DType::kF32, {2, 3});
  cr_assert(t.ok());
  cr_expect_eq(t->bytes(), 24);
  cr_expect_eq(reinterpret_cast<uintptr_t>(t->data<void>()) % 64, 0);
  for (const float x : t->values<float>()) cr_expect_eq(x, 0);
}

Test(tensor, copies_share_memory) {
  Result<Tensor> a = Tensor::Make(DType::kS32, {1});
  const Tensor b = *a;
  a->mutable_data<int32_t>()[0] = 7;
  cr_expect_eq(b.values<int32_t>()[0], 7);
}

Test(tensor, memory_lives_as_long_as_a_view) {
  std::weak_ptr<const int> watched;
  {
    const auto owner = std::make_shared<const int>(3);
    watched = owner;
    const Tensor view = Tensor::View(DType::kS32, {}, owner.get(), owner);
    cr_expect_eq(view.data<int32_t>()[0], 3);
    cr_expect_eq(owner.use_count(), 2);
  }
  cr_expect(watched.expired());
}

Test(tensor, refuses_what_cannot_be_allocated) {
  cr_expect_eq(Tensor::Make(DType::kU8, {int64_t{1} << 23, int64_t{1} << 22}).status().code(),
               Code::kOutOfMemory);
}

Test(tensor, reshaping_keeps_memory_and_parameters) {
  Result<Tensor> t = Tensor::Make(DType::kU8, {2, 3});
  t->set_qparams(std::make_shared<const QParams>(
      QParams{.dtype = DType::kU8, .axis = -1, .scales = {1}, .zero_points = {0}}));
  const Result<Tensor> flat = t->Reshaped({6});
  cr_assert(flat.ok());
  cr_expect_eq(flat->data<void>(), t->data<void>());
  cr_expect_eq(flat->qparams(), t->qparams());
}

Test(tensor, reshaping_to_another_count_is_refused) {
  const Result<Tensor> t = Tensor::Make(DType::kU8, {2, 3});
  const Result<Tensor> other = t->Reshaped({7});
  cr_expect_eq(other.status().code(), Code::kShape);
  cr_expect_eq(other.status().message(), "2x3 has 6 elements, 7 has 7");
}

Test(tensor, reshaping_would_lose_the_axis_of_scales) {
  Result<Tensor> t = Tensor::Make(DType::kS8, {2, 3});
  t->set_qparams(std::make_shared<const QParams>(
      QParams{.dtype = DType::kS8, .axis = 0, .scales = {1, 2}, .zero_points = {0, 0}}));
  cr_expect_eq(t->Reshaped({6}).status().code(), Code::kUnsupported);
}

Test(tensor, reads_packed_four_bit_integers) {
  Result<Tensor> t = Tensor::Make(DType::kS4, {3});
  t->mutable_data<uint8_t>()[0] = 0x8f;  // low half first: -1, -8
  t->mutable_data<uint8_t>()[1] = 0x07;
  cr_expect(*ToInts(*t) == std::vector<int64_t>({-1, -8, 7}));
}

Test(tensor, reads_any_nonzero_byte_as_true) {
  Result<Tensor> t = Tensor::Make(DType::kBool, {2});
  t->mutable_data<uint8_t>()[1] = 200;
  cr_expect(*ToInts(*t) == std::vector<int64_t>({0, 1}));
}

Test(tensor, floats_are_not_read_as_integers) {
  const Result<Tensor> t = Tensor::Scalar(1.5f);
  cr_expect_eq(ToInts(*t).status().code(), Code::kUnsupported);
  cr_expect(*ToFloats(*t) == std::vector<float>({1.5f}));
}

Test(tensor, no_tensor_has_no_values) {
  cr_expect_eq(ToInts(Tensor()).status().code(), Code::kUnsupported);
  cr_expect_eq(ToFloats(Tensor()).status().code(), Code::kUnsupported);
}

Test(half, every_bit_pattern_survives_the_way_to_float_and_back) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if (std::isnan(F16ToFloat(half))) continue;
    cr_assert_eq(FloatToF16(F16ToFloat(half)), half, "bits %x", bits);
  }
}

Test(half, known_values) {
  cr_expect_eq(F16ToFloat(0x3c00), 1.0f);
  cr_expect_eq(F16ToFloat(0x7bff), 65504.0f);
  cr_expect_eq(F16ToFloat(0x0001), 0x1p-24f);
  cr_expect_eq(F16ToFloat(0xfc00), -std::numeric_limits<float>::infinity());
}

Test(half, rounds_half_to_even) {
  cr_expect_eq(FloatToF16(1 + 0x1p-11f), 0x3c00);
  cr_expect_eq(FloatToF16(1 + 3 * 0x1p-11f), 0x3c02);
  cr_expect_eq(FloatToF16(65519.0f), 0x7bff);
  cr_expect_eq(FloatToF16(65520.0f), 0x7c00);
  cr_expect_eq(FloatToF16(0x1p-25f), 0);
  cr_expect_eq(FloatToF16(std::nextafter(0x1p-25f, 1.0f)), 1);
}

Test(bfloat16, rounds_half_to_even_and_keeps_nan) {
  cr_expect_eq(FloatToBf16(std::bit_cast<float>(0x3f808000U)), 0x3f80);
  cr_expect_eq(FloatToBf16(std::bit_cast<float>(0x3f818000U)), 0x3f82);
  cr_expect(std::isnan(Bf16ToFloat(FloatToBf16(std::bit_cast<float>(0x7f800001U)))));
}
