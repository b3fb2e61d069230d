// The arithmetic behind a sum, by hand.
#include <criterion/criterion.h>

#include "kernels/native/epilogue_row.h"
#include "unit/kernels/run.h"

using namespace intmill;

namespace {

uint8_t FinishOne(const Epilogue& e, int32_t sum) {
  uint8_t out = 0x5a;
  void* outputs[] = {&out};
  float row = 0;
  native::FinishRow(e, DType::kU8, &sum, 1, {.outputs = outputs}, 0, &row);
  return out;
}

}  // namespace

Test(epilogue, halves_are_rounded_to_even) {
  const Epilogue e{.scales = {0.5f}};
  cr_expect_eq(FinishOne(e, 1), 0);  // 0.5
  cr_expect_eq(FinishOne(e, 3), 2);  // 1.5
  cr_expect_eq(FinishOne(e, 5), 2);  // 2.5
}

Test(epilogue, results_saturate_at_both_ends) {
  const Epilogue e{.scales = {1.0f}};
  cr_expect_eq(FinishOne(e, -7), 0);
  cr_expect_eq(FinishOne(e, 256), 255);
  cr_expect_eq(FinishOne(e, INT32_MAX), 255);
  cr_expect_eq(FinishOne(e, INT32_MIN), 0);
}

Test(epilogue, the_product_is_rounded_before_the_bias_is_added) {
  // (2^24 + 2) * (1 + 2^-23) = 2^24 + 4 + 2^-22, which rounds to 2^24 + 4; fused with a bias of
  // -(2^24 + 4) it would be 2^-22.
  const float scale = 1.0f + 0x1p-23f;
  const int32_t sum = (1 << 24) + 2;
  const Epilogue e{.scales = {scale}, .bias = {-16777220.0f}, .divisor = 0x1p-30f};
  cr_expect_eq(FinishOne(e, sum), 0);
}

Test(epilogue, steps_come_before_the_divisor_and_the_zero_point_last) {
  const Epilogue e{.scales = {1.0f},
                   .bias = {1.0f},
                   .steps = {{.kind = EpilogueStep::Kind::kClip, .alpha = 0, .beta = 6}},
                   .divisor = 0.5f,
                   .zero_point = 3};
  cr_expect_eq(FinishOne(e, 2), 9);     // (2 + 1) / 0.5 + 3
  cr_expect_eq(FinishOne(e, 100), 15);  // 6 / 0.5 + 3
  cr_expect_eq(FinishOne(e, -9), 3);
}
