// Functions of two floats: both in step, or one of them the same for all, or any strides.
#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/pair.h"
#include "kernels/native/loops/scalar.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

using Function = float (*)(float, float);

float Mul(float a, float b) { return a * b; }  // bytes have a product of their own

template <Function kFunction>
void Pairs(const FloatPair& in, float* out, int64_t n, float low, float high) {
  const float* a = in.a;
  const float* b = in.b;
  if (in.a_stride == 1 && in.b_stride == 1) {
    for (int64_t i = 0; i < n; ++i) out[i] = ClampTo(kFunction(a[i], b[i]), low, high);
  } else if (in.a_stride == 1 && in.b_stride == 0) {
    const float same = *b;
    for (int64_t i = 0; i < n; ++i) out[i] = ClampTo(kFunction(a[i], same), low, high);
  } else if (in.a_stride == 0 && in.b_stride == 1) {
    const float same = *a;
    for (int64_t i = 0; i < n; ++i) out[i] = ClampTo(kFunction(same, b[i]), low, high);
  } else {
    for (int64_t i = 0; i < n; ++i)
      out[i] = ClampTo(kFunction(a[i * in.a_stride], b[i * in.b_stride]), low, high);
  }
}

}  // namespace

const BinaryLoop kBinaryLoops[] = {Pairs<Add>, Pairs<Sub>, Pairs<Mul>,   Pairs<Div>,
                                   Pairs<Min>, Pairs<Max>, Pairs<PRelu>, Pairs<Pow>};
static_assert(sizeof(kBinaryLoops) / sizeof(BinaryLoop) ==
              static_cast<int>(BinaryFunction::kCount));

}  // namespace intmill::native::INTMILL_LEVEL
