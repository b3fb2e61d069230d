// Attention over bytes: near the exact value, and the same bits at every level.
#include "kernels/native/attention.h"

#include <cmath>
#include <criterion/criterion.h>
#include <limits>

#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Problem {
  native::ByteAttention attention;
  Bytes q;
  Bytes k;
  Bytes v;
  std::vector<float> mask;
  std::string text;

  std::vector<const void*> inputs() const { return {q.data(), k.data(), v.data(), mask.data()}; }
  size_t elements() const {
    const native::ByteAttention& a = attention;
    return static_cast<size_t>(a.batch * a.heads * a.queries * a.width);
  }
  size_t output_bytes() const {
    return elements() * (attention.out_dtype == DType::kF32 ? sizeof(float) : 1);
  }
};

// As projections leave it, [batch, tokens, heads, elements], or head by head.
native::HeadStrides Strides(bool tokens_first, int64_t heads, int64_t tokens, int64_t elements) {
  if (tokens_first)
    return {.batch = tokens * heads * elements, .head = elements, .token = heads * elements};
  return {.batch = tokens * heads * elements, .head = tokens * elements, .token = elements};
}

void ChooseMask(Problem& p, Random& random) {
  native::ByteAttention& a = p.attention;
  a.has_mask = random.Chance();
  if (!a.has_mask) return;
  const bool of_queries = random.Chance();
  a.mask = {
      .batch = (of_queries ? a.queries : 1) * a.keys, .head = 0, .token = of_queries ? a.keys : 0};
  for (int64_t i = 0; i < a.batch * a.mask.batch; ++i)
    p.mask.push_back(random.Int(0, 3) == 0 && i % a.keys != 0 ? -kInfinity : random.Float(-2, 2));
}

Problem Make(Random& random) {
  Problem p;
  native::ByteAttention& a = p.attention;
  a = {.batch = random.Int(1, 2),
       .heads = random.Int(1, 3),
       .queries = random.Int(1, 140),
       .keys = random.Int(1, 140),
       .depth = random.Chance() ? 4 * random.Int(1, 20) : random.Int(1, 70),
       .width = random.Int(1, 70)};
  a.q = Strides(random.Chance(), a.heads, a.queries, a.depth);
  const bool turned = random.Int(0, 3) == 0;  // keys head by head, elements before tokens
  a.k = Strides(!turned && random.Chance(), a.heads, a.keys, a.depth);
  if (turned) {
    a.k.token = 1;
    a.k_element = a.keys;
  }
  a.v = Strides(random.Chance(), a.heads, a.keys, a.width);
  a.out = Strides(random.Chance(), a.heads, a.queries, a.width);
  ChooseMask(p, random);
  a.q_dtype = random.Chance() ? DType::kU8 : DType::kS8;
  a.q_zero_point = static_cast<int32_t>(random.Int(0, 255)) - (a.q_dtype == DType::kS8 ? 128 : 0);
  a.score_scale = random.Float(1e-4f, 1e-3f);
  a.scale = random.Float(0.1f, 0.5f) * (random.Int(0, 7) == 0 ? -1.0f : 1.0f);
  const DType types[] = {DType::kF32, DType::kU8, DType::kS8};
  a.out_dtype = types[random.Int(0, 2)];
  a.value_scale = random.Float(0.3f, 3);
  if (a.out_dtype == DType::kU8) a.out_zero_point = static_cast<int32_t>(random.Int(0, 255));
  if (a.out_dtype == DType::kS8) a.out_zero_point = static_cast<int32_t>(random.Int(-128, 127));
  p.q = random.Fill(a.batch * a.heads * a.queries * a.depth);
  p.k = random.Fill(a.batch * a.heads * a.keys * a.depth);
  p.v = random.Fill(a.batch * a.heads * a.keys * a.width);
  p.text = Cat("batch ", a.batch, " heads ", a.heads, " queries ", a.queries, " keys ", a.keys,
               " depth ", a.depth, " width ", a.width, " mask ", int{a.has_mask});
  return p;
}

int32_t Signed(const Bytes& bytes, int64_t at) {
  return static_cast<int8_t>(bytes[static_cast<size_t>(at)]);
}

// Of the keys for one query, by definition.
std::vector<double> Weights(const Problem& p, int64_t b, int64_t h, int64_t query) {
  const native::ByteAttention& a = p.attention;
  std::vector<double> t;
  double largest = -kInfinity;
  for (int64_t key = 0; key < a.keys; ++key) {
    int64_t sum = 0;
    for (int64_t i = 0; i < a.depth; ++i) {
      const int64_t at = b * a.q.batch + h * a.q.head + query * a.q.token + i;
      const int32_t q = a.q_dtype == DType::kS8 ? Signed(p.q, at) : p.q[static_cast<size_t>(at)];
      sum += (q - a.q_zero_point) *
             Signed(p.k, b * a.k.batch + h * a.k.head + key * a.k.token + i * a.k_element);
    }
    const int64_t at = b * a.mask.batch + query * a.mask.token + key;
    t.push_back(static_cast<double>(sum) * double{a.score_scale} * double{a.scale} +
                (a.has_mask ? double{p.mask[static_cast<size_t>(at)]} : 0));
    largest = std::max(largest, t.back());
  }
  for (double& x : t) x = std::exp(x - largest);
  return t;
}

// Of one result, in what it is written in.
double Written(const Problem& p, const Bytes& found, int64_t at) {
  if (p.attention.out_dtype == DType::kF32)
    return double{reinterpret_cast<const float*>(found.data())[at]};
  return p.attention.out_dtype == DType::kU8 ? found[static_cast<size_t>(at)] : Signed(found, at);
}

double WorstDifference(const Problem& p, const Bytes& found) {
  const native::ByteAttention& a = p.attention;
  double worst = 0;
  for (int64_t i = 0; i < a.batch * a.heads * a.queries; ++i) {
    const int64_t b = i / (a.heads * a.queries);
    const int64_t h = i / a.queries % a.heads;
    const int64_t query = i % a.queries;
    const std::vector<double> weights = Weights(p, b, h, query);
    double total = 0;
    for (const double w : weights) total += w;
    for (int64_t j = 0; j < a.width; ++j) {
      double y = 0;
      for (int64_t key = 0; key < a.keys; ++key)
        y += weights[static_cast<size_t>(key)] *
             Signed(p.v, b * a.v.batch + h * a.v.head + key * a.v.token + j);
      y *= double{a.value_scale} / total;
      if (a.out_dtype != DType::kF32) {
        const double low = a.out_dtype == DType::kU8 ? 0 : -128;
        y = std::clamp(std::nearbyint(y) + a.out_zero_point, low, low + 255);
      }
      const int64_t at = b * a.out.batch + h * a.out.head + query * a.out.token + j;
      worst = std::max(worst, std::abs(y - Written(p, found, at)));
    }
  }
  return worst;
}

}  // namespace

// 140 weights that are each off by less than a 65535th of the largest, times values of up to
// 128 * 3, are off by less than one; bytes may be rounded the other way.
Test(attention, every_level_gives_the_same_bits_near_the_exact_value_on_random_shapes) {
  Random random(9);
  for (int n = 0; n < 60; ++n) {
    const Problem p = Make(random);
    Bytes first;
    for (const Isa isa : Levels()) {
      const auto kernel = native::MakeByteAttention(p.attention, isa);
      cr_assert(kernel.ok());
      for (const int64_t threads : {1, 2, 4}) {
        const Bytes found = Run(**kernel, p.inputs(), p.output_bytes(), threads);
        cr_assert(first.empty() || found == first, "%s, %s, %d threads", p.text.c_str(),
                  IsaName(isa), static_cast<int>(threads));
        first = found;
      }
    }
    cr_expect_leq(WorstDifference(p, first), 1, "%s", p.text.c_str());
  }
}

Test(attention, a_query_that_may_look_nowhere_gives_nan_and_the_zero_point) {
  for (const DType dtype : {DType::kF32, DType::kU8}) {
    Problem p;
    p.attention = {.queries = 7,
                   .keys = 20,
                   .depth = 8,
                   .width = 5,
                   .has_mask = true,
                   .out_dtype = dtype,
                   .out_zero_point = dtype == DType::kU8 ? 77 : 0};
    native::ByteAttention& a = p.attention;
    a.q = a.k = {.token = 8};
    a.v = a.out = {.token = 5};
    Random random(3);
    p.q = random.Fill(7 * 8);
    p.k = random.Fill(20 * 8);
    p.v = random.Fill(20 * 5);
    p.mask.assign(20, -kInfinity);
    const auto kernel = native::MakeByteAttention(a, DetectIsa());
    cr_assert(kernel.ok());
    const Bytes found = Run(**kernel, p.inputs(), p.output_bytes(), 1);
    for (int64_t i = 0; i < 7 * 5; ++i) {
      const double y = Written(p, found, i);
      cr_expect(dtype == DType::kF32 ? std::isnan(y) : y == 77, "%d: %f", static_cast<int>(i), y);
    }
  }
}
