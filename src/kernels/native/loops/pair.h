// Functions of two floats, shared by the float loops and the byte loops.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_PAIR_H
#define INTMILL_KERNELS_NATIVE_LOOPS_PAIR_H

namespace intmill::native::INTMILL_LEVEL {
namespace {

float Add(float a, float b) { return a + b; }
float Sub(float a, float b) { return a - b; }
float Div(float a, float b) { return a / b; }
float Min(float a, float b) { return a < b || a != a ? a : b; }
float Max(float a, float b) { return a > b || a != a ? a : b; }
float PRelu(float a, float b) { return a < 0 ? a * b : a; }
float Pow(float a, float b) { return __builtin_powf(a, b); }

}  // namespace
}  // namespace intmill::native::INTMILL_LEVEL

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_PAIR_H
