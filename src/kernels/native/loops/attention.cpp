// The float part of attention over bytes: rows of scores become rows of bytes, and sums of products
// with them become values again.
#include "kernels/native/loops/exponential.h"
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr IntLanes kIndex = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr float kLog2E = 1.44269504088896341f;
constexpr float kNothing = -115.0f;  // 2^-115 rounds to no weight
typedef int32_t SumLanes __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

const SumLanes& SumsAt(const int32_t* x) { return *reinterpret_cast<const SumLanes*>(x); }
IntLanes LargerSum(IntLanes a, IntLanes b) { return a < b ? b : a; }
IntLanes AllSums(int32_t x) { return IntLanes{} + x; }

Lanes MaskAt(const float* mask, int64_t left) {
  if (left >= kLanes) return At(mask);
  float row[kLanes] = {};
  for (int64_t i = 0; i < left; ++i) row[i] = mask[i];
  return At(row);
}

// most 2^y for y <= 0, rounded, in the low bits of the result; off by 3e-6 of it, less than a fifth
// of a step, where rounding costs half a step. n is in the low bits of t, as in ExpOfNegative, and
// the polynomial is the best of its degree that is `most` at 0.
class RoundedPower {
 public:
  explicit RoundedPower(float most)
      : c0_(most),
        c1_(Of(0.693124193)),
        c2_(Of(0.240240986)),
        c3_(Of(0.0559064247)),
        c4_(Of(0.00958285299)) {}

  Lanes operator()(Lanes y) const {
    const Lanes t = y + kRoundMagic;
    const Lanes r = y - (t - kRoundMagic);
    Lanes p = r * c4_ + c3_;
    p = p * r + c2_;
    p = p * r + c1_;
    p = p * r + c0_;
    return __builtin_bit_cast(
               Lanes, __builtin_bit_cast(IntLanes, p) + (__builtin_bit_cast(IntLanes, t) << 23)) +
           kRoundMagic;
  }

 private:
  float Of(double coefficient) const {
    return static_cast<float>(coefficient * static_cast<double>(c0_));
  }

  const float c0_, c1_, c2_, c3_, c4_;
};

// Of the bits of each number: an integer, where the number has been rounded with kRoundMagic.
void SplitBytes(const float* x, uint8_t* __restrict high, uint8_t* __restrict low, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const auto bits = __builtin_bit_cast(uint32_t, x[i]);
    high[i] = static_cast<uint8_t>(bits >> 8);
    low[i] = static_cast<uint8_t>(bits);
  }
}

// Rows whose scores are compared as the integers that they are products of.
class Differences {
 public:
  explicit Differences(const ScoreRows& rows)
      : r_(rows), factor_(rows.sum_scale * rows.scale * kLog2E) {}

  // What the exponents are relative to, as bits.
  float Begin(int64_t row) const {
    const int32_t* x = r_.sums + row * r_.step;
    IntLanes lanes = AllSums(INT32_MIN);
    int64_t k = 0;
    for (; k + kLanes <= r_.keys; k += kLanes) lanes = LargerSum(lanes, SumsAt(x + k));
    if (k < r_.keys) {
      const IntLanes here = kIndex < static_cast<int32_t>(r_.keys - k);
      lanes = LargerSum(lanes, here ? SumsAt(x + k) : AllSums(INT32_MIN));
    }
    return __builtin_bit_cast(float, Reduce<LargerSum>(lanes));
  }
  Lanes Exponent(const float* x, float begin) const {
    const IntLanes sums = __builtin_bit_cast(IntLanes, At(x)) - __builtin_bit_cast(int32_t, begin);
    return __builtin_convertvector(sums, Lanes) * factor_;
  }

 private:
  const ScoreRows& r_;
  const float factor_;
};

// Any rows: first t = sum * sum_scale * scale + mask, in the place of the sums.
class Reals {
 public:
  explicit Reals(const ScoreRows& rows) : r_(rows) {}

  float Begin(int64_t row) const {
    const float* mask = r_.mask == nullptr ? nullptr : r_.mask + row * r_.mask_step;
    Lanes lanes = All(-__builtin_inff());
    for (int64_t k = 0; k < r_.keys; k += kLanes) {
      int32_t* x = r_.sums + row * r_.step + k;
      Lanes t = __builtin_convertvector(SumsAt(x), Lanes) * r_.sum_scale * r_.scale;
      if (mask != nullptr) t = t + MaskAt(mask + k, r_.keys - k);
      At(reinterpret_cast<float*>(x)) = t;
      if (r_.keys - k < kLanes)
        t = kIndex < static_cast<int32_t>(r_.keys - k) ? t : All(-__builtin_inff());
      lanes = Larger(lanes, t);
    }
    return Reduce<Larger>(lanes);
  }
  Lanes Exponent(const float* x, float begin) const { return (At(x) - begin) * kLog2E; }

 private:
  const ScoreRows& r_;
};

// Of rounded numbers that may be NaN.
template <typename Scores>
class Total {
 public:
  void Add(Lanes rounded) { sum_ += rounded - kRoundMagic; }
  float Get() const { return Reduce<Sum>(sum_); }

 private:
  Lanes sum_ = {};
};

// Of integers: of their bits, which is an addition less.
template <>
class Total<Differences> {
 public:
  void Add(Lanes rounded) {
    bits_ += __builtin_bit_cast(Bits, rounded);
    ++count_;
  }
  float Get() const {
    const uint32_t magic = static_cast<uint32_t>(kRoundMagicBits) * kLanes * count_;
    return static_cast<float>(Reduce<SumBits>(bits_) - magic);
  }

 private:
  typedef uint32_t Bits __attribute__((vector_size(kLanes * 4)));
  static Bits SumBits(Bits a, Bits b) { return a + b; }

  Bits bits_ = {};
  uint32_t count_ = 0;
};

// Each step for all rows, as the steps of one row wait for each other. A NaN makes the sum NaN.
template <typename Scores>
void Exponentials(const ScoreRows& rows, uint8_t* y, float* sums) {
  const Scores scores(rows);
  const RoundedPower power(rows.most);
  const int64_t keys = rows.keys;
  for (int64_t i = 0; i < rows.count; ++i) sums[i] = scores.Begin(i);
  for (int64_t i = 0; i < rows.count; ++i) {
    auto* x = reinterpret_cast<float*>(rows.sums + i * rows.step);
    const float begin = sums[i];
    Total<Scores> sum;
    for (int64_t k = 0; k < keys; k += kLanes) {
      Lanes exponent = Larger(scores.Exponent(x + k, begin), All(kNothing));
      if (keys - k < kLanes)
        exponent = kIndex < static_cast<int32_t>(keys - k) ? exponent : All(kNothing);
      const Lanes t = power(exponent);
      sum.Add(t);
      At(x + k) = t;
    }
    sums[i] = sum.Get();
  }
  const int64_t bytes = rows.count * rows.step;
  SplitBytes(reinterpret_cast<const float*>(rows.sums), y, y + bytes, bytes);
}

uint8_t ByteOf(float t, float zero_point, uint8_t flip) {
  t = t == t ? t : 0.0f;
  t = ClampTo(t, -zero_point, 255.0f - zero_point);
  return static_cast<uint8_t>(RoundToInt(t) + static_cast<int32_t>(zero_point)) ^ flip;
}

float Joined(int32_t high, int32_t low) {
  return static_cast<float>(
      static_cast<int32_t>(static_cast<uint32_t>(high) * 256 + static_cast<uint32_t>(low)));
}

}  // namespace

void ExponentialBytes(const ScoreRows& rows, uint8_t* y, float* sums) {
  if (rows.by_difference)
    Exponentials<Differences>(rows, y, sums);
  else
    Exponentials<Reals>(rows, y, sums);
}

void ScaleToBytes(const float* x, float factor, float zero_point, uint8_t flip, uint8_t* y,
                  int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = ByteOf(x[i] * factor, zero_point, flip);
}

void ScaleSumsToBytes(const int32_t* high, const int32_t* low, float factor, float zero_point,
                      uint8_t flip, uint8_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = ByteOf(Joined(high[i], low[i]) * factor, zero_point, flip);
}

void ScaleSums(const int32_t* high, const int32_t* low, float factor, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = Joined(high[i], low[i]) * factor;
}

const AttentionLoops kAttentionLoops = {.exponentials = ExponentialBytes,
                                        .to_bytes = ScaleToBytes,
                                        .sums_to_bytes = ScaleSumsToBytes,
                                        .sums_to_floats = ScaleSums};

}  // namespace intmill::native::INTMILL_LEVEL
