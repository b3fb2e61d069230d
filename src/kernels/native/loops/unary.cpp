// Functions of one float, over contiguous memory.
#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/scalar.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

template <float (*kFunction)(float x, float alpha, float beta)>
void Map(const float* x, float* y, int64_t n, float alpha, float beta) {
  for (int64_t i = 0; i < n; ++i) y[i] = kFunction(x[i], alpha, beta);
}

float Abs(float x, float, float) { return __builtin_fabsf(x); }
float Ceil(float x, float, float) { return __builtin_ceilf(x); }
float Clip(float x, float a, float b) { return ClampTo(x, a, b); }
float Elu(float x, float a, float) { return x < 0 ? a * (Exp(x) - 1.0f) : x; }
float ErfOf(float x, float, float) { return Erf(x); }
float ExpOf(float x, float, float) { return Exp(x); }
float Floor(float x, float, float) { return __builtin_floorf(x); }
float Gelu(float x, float, float) { return 0.5f * x * (1.0f + Erf(x * 0.70710678118654752f)); }
// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
float GeluTanh(float x, float, float) {
  return 0.5f * x * (1.0f + Tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)));
}
float HardSigmoid(float x, float a, float b) { return ClampTo(a * x + b, 0.0f, 1.0f); }
float HardSwish(float x, float, float) { return x * ClampTo((1.0f / 6.0f) * x + 0.5f, 0.0f, 1.0f); }
float Identity(float x, float, float) { return x; }
float LeakyRelu(float x, float a, float) { return x < 0 ? a * x : x; }
float Log(float x, float, float) { return __builtin_logf(x); }
float Neg(float x, float, float) { return -x; }
float Reciprocal(float x, float, float) { return 1.0f / x; }
float Relu(float x, float, float) { return x < 0 ? 0.0f : x; }
float Round(float x, float, float) { return __builtin_rintf(x); }
float SigmoidOf(float x, float, float) { return Sigmoid(x); }
float Sign(float x, float, float) { return x > 0 ? 1.0f : x < 0 ? -1.0f : x; }
// log(1 + e^x), without overflow
float Softplus(float x, float, float) {
  return AtLeast(x, 0.0f) + __builtin_log1pf(Exp(-__builtin_fabsf(x)));
}
float Sqrt(float x, float, float) { return __builtin_sqrtf(x); }
float Square(float x, float, float) { return x * x; }
float Swish(float x, float, float) { return x * Sigmoid(x); }
float TanhOf(float x, float, float) { return Tanh(x); }

}  // namespace

const UnaryLoop kUnaryLoops[] = {
    Map<Abs>,        Map<Ceil>,     Map<Clip>,      Map<Elu>,       Map<ErfOf>,
    Map<ExpOf>,      Map<Floor>,    Map<Gelu>,      Map<GeluTanh>,  Map<HardSigmoid>,
    Map<HardSwish>,  Map<Identity>, Map<LeakyRelu>, Map<Log>,       Map<Neg>,
    Map<Reciprocal>, Map<Relu>,     Map<Round>,     Map<SigmoidOf>, Map<Sign>,
    Map<Softplus>,   Map<Sqrt>,     Map<Square>,    Map<Swish>,     Map<TanhOf>,
};
static_assert(sizeof(kUnaryLoops) / sizeof(UnaryLoop) == static_cast<int>(UnaryFunction::kCount));

}  // namespace intmill::native::INTMILL_LEVEL
