// Functions of two 8-bit numbers with scales: dequantize, compute in float, quantize.
#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/pair.h"
#include "kernels/native/loops/scalar.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

using Function = float (*)(float, float);

inline float Real(uint8_t stored, const ByteScale& s) {
  return static_cast<float>(static_cast<int32_t>(stored ^ s.flip) - s.zero_point) * s.scale;
}

template <Function kFunction>
inline uint8_t One(const ByteBinary& how, float a, float b) {
  const float result = ClampTo(kFunction(a, b), how.low, how.high);
  const int32_t q = QuantizeToByte(result, how.out.scale, how.out.zero_point);
  return static_cast<uint8_t>(q) ^ how.out.flip;
}

template <Function kFunction>
void BytePairs(const ByteBinary& settings, const BytePair& in, uint8_t* __restrict out, int64_t n) {
  const ByteBinary how = settings;  // a copy, which stores through `out` cannot change
  const uint8_t* a = in.a;
  const uint8_t* b = in.b;
  if (in.a_stride == 1 && in.b_stride == 1) {
    for (int64_t i = 0; i < n; ++i)
      out[i] = One<kFunction>(how, Real(a[i], how.a), Real(b[i], how.b));
  } else if (in.a_stride == 1 && in.b_stride == 0) {
    const float same = Real(*b, how.b);
    for (int64_t i = 0; i < n; ++i) out[i] = One<kFunction>(how, Real(a[i], how.a), same);
  } else if (in.a_stride == 0 && in.b_stride == 1) {
    const float same = Real(*a, how.a);
    for (int64_t i = 0; i < n; ++i) out[i] = One<kFunction>(how, same, Real(b[i], how.b));
  } else {
    for (int64_t i = 0; i < n; ++i)
      out[i] =
          One<kFunction>(how, Real(a[i * in.a_stride], how.a), Real(b[i * in.b_stride], how.b));
  }
}

// Products need no real numbers in between: the product of the integers is exact, and one factor
// brings it to the scale of the output. Where that lies next to the middle of two steps the result
// may be a step from the one that rounds each real number.
struct ByteProduct {
  explicit ByteProduct(const ByteBinary& how)
      : a(how.a),
        b(how.b),
        factor(how.a.scale * how.b.scale / how.out.scale),
        low(AtLeast(static_cast<float>(0 - how.out.zero_point), how.low / how.out.scale)),
        high(AtMost(static_cast<float>(255 - how.out.zero_point), how.high / how.out.scale)),
        zero_point(how.out.zero_point),
        flip(how.out.flip) {}

  uint8_t operator()(uint8_t x, uint8_t y) const {
    const int32_t product = ((x ^ a.flip) - a.zero_point) * ((y ^ b.flip) - b.zero_point);
    const float t = ClampTo(static_cast<float>(product) * factor, low, high);
    return static_cast<uint8_t>(RoundToInt(t) + zero_point) ^ flip;
  }

  ByteScale a;
  ByteScale b;
  float factor;
  float low;
  float high;
  int32_t zero_point;
  uint8_t flip;
};

void MulBytes(const ByteBinary& how, const BytePair& in, uint8_t* __restrict out, int64_t n) {
  const ByteProduct product(how);
  const uint8_t* a = in.a;
  const uint8_t* b = in.b;
  if (in.a_stride == 1 && in.b_stride == 1) {
    for (int64_t i = 0; i < n; ++i) out[i] = product(a[i], b[i]);
  } else if (in.a_stride == 1 && in.b_stride == 0) {
    for (int64_t i = 0; i < n; ++i) out[i] = product(a[i], *b);
  } else if (in.a_stride == 0 && in.b_stride == 1) {
    for (int64_t i = 0; i < n; ++i) out[i] = product(*a, b[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = product(a[i * in.a_stride], b[i * in.b_stride]);
  }
}

}  // namespace

const ByteBinaryLoop kByteBinaryLoops[] = {BytePairs<Add>,   BytePairs<Sub>, MulBytes,
                                           BytePairs<Div>,   BytePairs<Min>, BytePairs<Max>,
                                           BytePairs<PRelu>, BytePairs<Pow>};
static_assert(sizeof(kByteBinaryLoops) / sizeof(ByteBinaryLoop) ==
              static_cast<int>(BinaryFunction::kCount));

}  // namespace intmill::native::INTMILL_LEVEL
