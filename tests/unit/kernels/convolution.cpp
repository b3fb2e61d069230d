// 8-bit convolutions: oneDNN against plain loops, bit for bit.
#include <criterion/criterion.h>

#include "base/parallel.h"
#include "kernels/onednn/runtime.h"
#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

// Enough to meet every implementation that oneDNN chooses between on one machine.
constexpr int kProblems = 400;

Test(convolution, onednn_equals_plain_loops_on_random_shapes_for_any_thread_count) {
  if (!HasVnni(EffectiveIsa())) cr_skip_test("this processor has no VNNI");
  Random random(1);
  int compared = 0;
  for (int i = 0; i < kProblems; ++i) {
    const ConvolutionProblem p = RandomConvolution(random);
    const auto fast = onednn::MakeConvolution(p.conv, EffectiveIsa());
    const auto plain = native::MakeConvolution(p.conv, Isa::kBaseline);
    cr_assert(plain.ok(), "%s: %s", p.text.c_str(), plain.status().message().c_str());
    const Bytes wanted = Run(**plain, p.inputs(), p.output_bytes(), 1);
    cr_assert(!wanted.empty());
    if (!fast.ok()) {
      cr_assert_eq(fast.status().code(), Code::kUnsupported, "%s: %s", p.text.c_str(),
                   fast.status().message().c_str());
      continue;
    }
    ++compared;
    // With one thread it would compute the same, only slower.
    cr_assert((*fast)->starts_regions() && !(*plain)->starts_regions());
    for (const int64_t threads : {1, 2, 4}) {
      const Bytes found = Run(**fast, p.inputs(), p.output_bytes(), threads);
      cr_assert(found == wanted, "%s: %s differs with %d threads", p.text.c_str(),
                std::string((*fast)->name()).c_str(), static_cast<int>(threads));
    }
  }
  cr_assert_gt(compared, kProblems / 2);
}

Test(convolution, those_of_one_pixel_are_products_whatever_their_strides) {
  if (!HasVnni(EffectiveIsa())) cr_skip_test("this processor has no VNNI");
  Random random(5);
  int products = 0;
  for (int i = 0; i < kProblems / 2; ++i) {
    const ConvolutionProblem p = RandomPointwise(random);
    const auto plain = native::MakeConvolution(p.conv, Isa::kBaseline);
    const auto fast = MakeConvolution(p.conv, EffectiveIsa());
    cr_assert(plain.ok() && fast.ok(), "%s", p.text.c_str());
    const Bytes wanted = Run(**plain, p.inputs(), p.output_bytes(), 1);
    const bool has_strides = p.conv.in != p.conv.out;
    products += has_strides && (*fast)->name().find("product") != std::string_view::npos ? 1 : 0;
    for (const int64_t threads : {1, 2, 4})
      cr_assert(Run(**fast, p.inputs(), p.output_bytes(), threads) == wanted,
                "%s: %s differs with %d threads", p.text.c_str(),
                std::string((*fast)->name()).c_str(), static_cast<int>(threads));
  }
  cr_expect(EffectiveIsa() < Isa::kAvx512Vnni || products > 10, "%d", products);
}

Test(convolution, images_on_tiles_equal_plain_loops_on_random_shapes_for_any_thread_count) {
  if (EffectiveIsa() < Isa::kAmx) cr_skip_test("this processor has no AMX");
  Random random(7);
  int compared = 0;
  while (compared < kProblems / 2) {
    const bool is_large = compared % 10 == 0;
    const ConvolutionProblem p = is_large ? RandomImage(random) : RandomConvolution(random);
    if (!native::PrefersImageProduct(p.conv, Isa::kAmx)) continue;
    const auto plain = native::MakeConvolution(p.conv, is_large ? DetectIsa() : Isa::kBaseline);
    const auto fast = native::MakeImageProduct(p.conv, Isa::kAmx);
    cr_assert(plain.ok() && fast.ok(), "%s", p.text.c_str());
    const Bytes wanted = Run(**plain, p.inputs(), p.output_bytes(), 1);
    cr_assert(!wanted.empty());
    for (const int64_t threads : {1, 2, 4})
      cr_assert(Run(**fast, p.inputs(), p.output_bytes(), threads) == wanted,
                "%s differs with %d threads", p.text.c_str(), static_cast<int>(threads));
    ++compared;
  }
}

Test(convolution, images_that_would_mostly_be_padding_are_not_padded) {
  const uint8_t weight = 1;
  Convolution c{.in = {1, 1},
                .out = {3, 3},
                .kernel = {1, 1},
                .strides = {3000, 3000},
                .dilations = {1, 1},
                .pads = {3000, 3000}};
  c.in_dtype = DType::kU8;
  c.weight_dtype = DType::kS8;
  c.weights = &weight;
  c.epilogue.scales = {1.0f};
  cr_expect_not(native::PrefersImageProduct(c, Isa::kAmx));
  c.strides = c.pads = {3, 3};
  cr_expect_eq(native::PrefersImageProduct(c, EffectiveIsa()), EffectiveIsa() >= Isa::kAmx);
}

Test(convolution, plain_loops_give_the_same_bits_at_every_level_and_thread_count) {
  Random random(2);
  for (int i = 0; i < kProblems / 4; ++i) {
    const ConvolutionProblem p = RandomConvolution(random);
    const auto plain = native::MakeConvolution(p.conv, Isa::kBaseline);
    cr_assert(plain.ok());
    const Bytes wanted = Run(**plain, p.inputs(), p.output_bytes(), 1);
    const auto best = native::MakeConvolution(p.conv, DetectIsa());
    cr_assert(best.ok());
    for (const int64_t threads : {1, 2, 4})
      cr_assert(Run(**best, p.inputs(), p.output_bytes(), threads) == wanted, "%s", p.text.c_str());
  }
}

// How oneDNN cuts a convolution of floats into blocks, and so the order of its sums, depends on the
// threads that it is made for; with one kernel the bits must not depend on those that run it.
Test(convolution, a_kernel_of_floats_gives_the_same_bits_for_any_thread_count) {
  Random random(6);
  for (int i = 0; i < kProblems / 4; ++i) {
    ConvolutionProblem p = RandomConvolution(random);
    p.conv.in_dtype = p.conv.weight_dtype = p.conv.out_dtype = DType::kF32;
    p.conv.in_zero_point = 0;
    p.conv.epilogue = {};
    std::vector<float> weights(p.weights.size());
    std::vector<float> image(p.input.size());
    for (float& w : weights) w = random.Float(-1, 1);
    for (float& x : image) x = random.Float(-1, 1);
    p.conv.weights = weights.data();
    const ThreadScope scope(4);
    const auto kernel = onednn::MakeConvolution(p.conv, EffectiveIsa());
    if (!kernel.ok()) continue;  // refused: the reference then is the kernel
    Bytes first;
    for (const int64_t threads : {1, 2, 4}) {
      const Bytes out =
          Run(**kernel, {image.data(), nullptr, nullptr, nullptr}, p.output_bytes(), threads);
      if (first.empty()) first = out;
      cr_expect(out == first, "%s: %s: %d threads", p.text.c_str(),
                std::string((*kernel)->name()).c_str(), static_cast<int>(threads));
    }
  }
}

Test(convolution, weights_keep_their_zero_points_in_plain_loops) {
  // One pixel, one channel: (200 - 10) * (3 - 250) * 0.5
  const uint8_t weight = 3;
  const uint8_t image = 200;
  Convolution c{
      .in = {1}, .out = {1}, .kernel = {1}, .strides = {1}, .dilations = {1}, .pads = {0}};
  c.in_dtype = DType::kU8;
  c.in_zero_point = 10;
  c.weights = &weight;
  c.weight_dtype = DType::kU8;
  c.weight_zero_points = {250};
  c.epilogue.scales = {0.5f};
  const auto kernel = MakeConvolution(c, EffectiveIsa());
  cr_assert(kernel.ok());
  const Bytes out = Run(**kernel, {&image, nullptr}, sizeof(float), 1);
  cr_assert_eq(out.size(), sizeof(float));
  cr_assert_eq(*reinterpret_cast<const float*>(out.data()), 190.0f * -247.0f * 0.5f);
}

Test(convolution, weights_keep_their_zero_points_whichever_kernel_takes_them) {
  Random random(8);
  for (int i = 0; i < 40; ++i) {
    ConvolutionProblem p = i % 2 == 0 ? RandomPointwise(random) : RandomImage(random);
    p.conv.weight_zero_points = {static_cast<int32_t>(random.Int(-20, -1))};
    const auto plain = native::MakeConvolution(p.conv, Isa::kBaseline);
    const auto fast = MakeConvolution(p.conv, EffectiveIsa());
    cr_assert(plain.ok() && fast.ok(), "%s", p.text.c_str());
    cr_expect(Run(**fast, p.inputs(), p.output_bytes(), 1) ==
                  Run(**plain, p.inputs(), p.output_bytes(), 1),
              "%s: %s", p.text.c_str(), std::string((*fast)->name()).c_str());
  }
}

Test(convolution, without_vnni_the_kernel_is_our_own_and_says_so) {
  Random random(3);
  const ConvolutionProblem p = RandomConvolution(random);
  const auto refused = onednn::MakeConvolution(p.conv, Isa::kAvx2);
  cr_assert_eq(refused.status().code(), Code::kUnsupported);
  const auto kernel = MakeConvolution(p.conv, Isa::kAvx2);
  cr_assert(kernel.ok());
  cr_assert((*kernel)->name().starts_with("native int8 conv:"));
}

Test(convolution, packed_weights_are_counted_and_not_read_again) {
  Random random(4);
  ConvolutionProblem p = RandomConvolution(random);
  const auto kernel = MakeConvolution(p.conv, EffectiveIsa());
  cr_assert(kernel.ok());
  cr_assert((*kernel)->packs_input(1));
  cr_assert((*kernel)->packs_input(2));
  cr_assert_not((*kernel)->packs_input(0));
  cr_assert_geq((*kernel)->packed_bytes(), static_cast<int64_t>(p.weights.size()));
  const Bytes before = Run(**kernel, p.inputs(), p.output_bytes(), 1);
  std::fill(p.weights.begin(), p.weights.end(), uint8_t{0});
  cr_assert(Run(**kernel, p.inputs(), p.output_bytes(), 1) == before);
}
