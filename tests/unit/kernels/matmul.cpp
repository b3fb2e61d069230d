// 8-bit matrix products: oneDNN against plain loops, bit for bit.
#include <algorithm>
#include <array>
#include <atomic>
#include <criterion/criterion.h>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "kernels/native/levels.h"
#include "kernels/onednn/runtime.h"
#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

constexpr int kProblems = 400;

Test(matmul, onednn_equals_plain_loops_on_random_shapes_for_any_thread_count) {
  if (!HasVnni(EffectiveIsa())) cr_skip_test("this processor has no VNNI");
  Random random(1);
  for (int i = 0; i < kProblems; ++i) {
    const MatMulProblem p = RandomMatMul(random);
    const auto fast = onednn::MakeMatMul(p.matmul, EffectiveIsa());
    const auto plain = native::MakeMatMul(p.matmul, Isa::kBaseline);
    cr_assert(plain.ok(), "%s: %s", p.text.c_str(), plain.status().message().c_str());
    cr_assert(fast.ok(), "%s: %s", p.text.c_str(), fast.status().message().c_str());
    const Bytes wanted = Run(**plain, p.inputs(), p.output_bytes(), 1);
    cr_assert(!wanted.empty());
    for (const int64_t threads : {1, 2, 4}) {
      const Bytes found = Run(**fast, p.inputs(), p.output_bytes(), threads);
      cr_assert(found == wanted, "%s: %s differs with %d threads", p.text.c_str(),
                std::string((*fast)->name()).c_str(), static_cast<int>(threads));
    }
  }
}

Test(matmul, our_own_product_equals_plain_loops_on_random_shapes_for_any_thread_count) {
  std::vector<Isa> levels;
  for (const Isa isa : {Isa::kAvx512Vnni, Isa::kAmx})
    if (EffectiveIsa() >= isa) levels.push_back(isa);
  if (levels.empty()) cr_skip_test("this processor has no AVX-512 VNNI");
  Random random(3);
  int compared = 0;
  while (compared < kProblems) {
    // Many columns come in panels of another width where that suits the rows.
    const MatMulProblem p = RandomMatMul(random, compared % 10 == 0 ? 600 : 100);
    if (!native::PrefersProduct(p.matmul, levels[0])) continue;
    const auto plain = native::MakeMatMul(p.matmul, Isa::kBaseline);
    cr_assert(plain.ok(), "%s", p.text.c_str());
    const Bytes wanted = Run(**plain, p.inputs(), p.output_bytes(), 1);
    cr_assert(!wanted.empty());
    for (const Isa isa : levels) {
      const auto fast = native::MakeProduct(p.matmul, isa);
      cr_assert(fast.ok(), "%s", p.text.c_str());
      for (const int64_t threads : {1, 2, 4})
        cr_assert(Run(**fast, p.inputs(), p.output_bytes(), threads) == wanted,
                  "%s: %s differs with %d threads", p.text.c_str(),
                  std::string((*fast)->name()).c_str(), static_cast<int>(threads));
    }
    ++compared;
  }
}

Test(matmul, what_is_too_high_for_32_bits_becomes_the_highest_byte) {
  if (EffectiveIsa() < Isa::kAvx512Vnni) cr_skip_test("this processor has no AVX-512 VNNI");
  const Bytes weights(64 * 32, 127);
  const Bytes a(40 * 64, 255);
  for (const DType out : {DType::kU8, DType::kS8}) {
    MatMul m{.a = {40, 64}, .b = {64, 32}, .out = {40, 32}};
    m.a_dtype = DType::kU8;
    m.b_dtype = DType::kS8;
    m.out_dtype = out;
    m.epilogue.scales = {1e6f};
    m.weights = weights.data();
    for (const Isa isa : {Isa::kAvx512Vnni, Isa::kAmx}) {
      if (EffectiveIsa() < isa) continue;
      const auto kernel = native::MakeProduct(m, isa);
      cr_assert(kernel.ok(), "%s", kernel.status().message().c_str());
      const Bytes found = Run(**kernel, {a.data(), nullptr}, 40 * 32, 1);
      cr_expect(found == Bytes(40 * 32, out == DType::kU8 ? 255 : 127), "%s",
                std::string((*kernel)->name()).c_str());
    }
  }
}

#if defined(__x86_64__)
Test(matmul, no_thread_keeps_tiles_after_a_run) {
  if (EffectiveIsa() < Isa::kAmx) cr_skip_test("this processor has no AMX");
  constexpr int64_t kRows = 2000;
  MatMul m{.a = {kRows, 64}, .b = {64, 256}, .out = {kRows, 256}};
  m.a_dtype = DType::kU8;
  m.b_dtype = DType::kS8;
  m.epilogue.scales = {1.0f};
  const Bytes weights(64 * 256, 1);
  const Bytes a(kRows * 64, 1);
  std::vector<float> out(kRows * 256);
  m.weights = weights.data();
  const auto kernel = native::MakeProduct(m, EffectiveIsa());
  cr_assert(kernel.ok(), "%s", kernel.status().message().c_str());

  const ThreadScope scope(2);
  std::atomic<int> shaped = 0;
  const auto count_shaped = [&] {
    alignas(64) std::array<uint8_t, 64> shapes;
    asm volatile("sttilecfg %0" : "=m"(shapes));
    if (shapes[0] != 0) ++shaped;
  };
  const void* const inputs[] = {a.data(), nullptr};
  void* const outputs[] = {out.data()};
  {
    TileUse tiles;
    cr_assert((*kernel)->Run({inputs, outputs, nullptr, {}, &tiles}, nullptr).ok());
    OnEachThread(count_shaped);
    cr_expect_gt(shaped, 0, "the test sees no shapes");
  }
  shaped = 0;
  OnEachThread(count_shaped);
  cr_expect_eq(shaped, 0, "%d", shaped.load());
}
#endif

Test(matmul, tiles_take_equal_parts_of_a_depth_or_none) {
  for (int64_t depth = 0; depth <= 8192; depth += 4) {
    const int64_t step = native::TileStep(depth);
    cr_assert(step == 0 || (step <= 64 && step % 4 == 0 && depth % step == 0), "%d of %d",
              static_cast<int>(step), static_cast<int>(depth));
  }
  for (const int64_t usual : {4, 16, 24, 64, 96, 112, 144, 320, 576, 768, 960, 1152, 3072})
    cr_expect_geq(native::TileStep(usual), std::min<int64_t>(usual, 40), "%d",
                  static_cast<int>(usual));
  for (int64_t depth = 64; depth <= 8192; depth += 64)
    cr_assert_eq(native::TileStep(depth), 64, "%d", static_cast<int>(depth));
  // 4 x 127: what has no divisor.
  cr_expect_eq(native::TileStep(508), 0);
}

Test(matmul, floats_give_the_same_bits_for_any_thread_count) {
  // A long sum over few outputs is what a library would like to split among threads.
  for (const int64_t columns : {24, 300, 1000}) {
    MatMul m{.a = {1, 4096}, .b = {4096, columns}, .out = {1, columns}};
    std::vector<float> a(4096);
    std::vector<float> b(static_cast<size_t>(4096 * columns));
    Random random(5);
    for (float& x : a) x = random.Float(-1, 1);
    for (float& x : b) x = random.Float(-1, 1);
    m.weights = b.data();
    Bytes first;
    for (const int64_t threads : {1, 2, 4}) {
      const ThreadScope scope(threads);
      const auto kernel = MakeMatMul(m, EffectiveIsa());
      cr_assert(kernel.ok());
      const Bytes out =
          Run(**kernel, {a.data(), nullptr}, static_cast<size_t>(columns) * 4, threads);
      if (first.empty()) first = out;
      cr_assert(out == first, "%d columns, %d threads", static_cast<int>(columns),
                static_cast<int>(threads));
    }
  }
}

// Integers that floats hold exactly, so that the order of a sum does not show.
Test(matmul, floats_equal_plain_loops_for_weights_of_any_size_and_order) {
  Random random(9);
  for (int i = 0; i < kProblems; ++i) {
    const int64_t rows = random.Int(1, 20);
    const int64_t depth = random.Int(1, 200);
    const int64_t columns = random.Int(1, 140);
    MatMul m{.a = {rows, depth}, .b = {depth, columns}, .out = {rows, columns}};
    m.b_is_transposed = random.Chance();
    std::vector<float> a(static_cast<size_t>(rows * depth));
    std::vector<float> b(static_cast<size_t>(depth * columns));
    for (float& x : a) x = static_cast<float>(random.Int(-9, 9));
    for (float& x : b) x = static_cast<float>(random.Int(-9, 9));
    m.weights = b.data();
    const auto kernel = MakeMatMul(m, EffectiveIsa());
    cr_assert(kernel.ok(), "%s", kernel.status().message().c_str());
    const Bytes out =
        Run(**kernel, {a.data(), nullptr}, static_cast<size_t>(rows * columns) * 4, 2);
    const auto* found = reinterpret_cast<const float*>(out.data());
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        float sum = 0;
        for (int64_t k = 0; k < depth; ++k)
          sum += a[static_cast<size_t>(r * depth + k)] *
                 b[static_cast<size_t>(m.b_is_transposed ? c * depth + k : k * columns + c)];
        cr_assert_eq(found[r * columns + c], sum, "%dx%dx%d%s", static_cast<int>(rows),
                     static_cast<int>(depth), static_cast<int>(columns),
                     m.b_is_transposed ? " transposed" : "");
      }
  }
}

Test(matmul, without_vnni_the_kernel_is_our_own_and_says_so) {
  Random random(3);
  MatMulProblem p = RandomMatMul(random);
  const auto refused = onednn::MakeMatMul(p.matmul, Isa::kAvx2);
  cr_assert_eq(refused.status().code(), Code::kUnsupported);
  const auto kernel = MakeMatMul(p.matmul, Isa::kAvx2);
  cr_assert(kernel.ok());
  cr_assert((*kernel)->name().starts_with("native int8"));
}
