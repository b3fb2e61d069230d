// ExactSum: floats added as integers in fixed point.
#include <cmath>

#include "quant/statistics.h"

namespace intmill {
namespace {

constexpr int kLowestExponent = -149;  // of the smallest subnormal float
constexpr int kMantissaBits = 24;
constexpr int64_t kBase = int64_t{1} << 32;
// An addition changes a digit by less than 2^32, so this many fit into 63 bits.
constexpr int64_t kCarryAfter = int64_t{1} << 30;

}  // namespace

void ExactSum::Add(float x) {
  if (x == 0) return;
  int exponent = 0;
  const double fraction = std::frexp(static_cast<double>(x), &exponent);  // 0.5 <= |f| < 1
  // x = mantissa * 2^(position - 149); bits of a subnormal below 2^-149 are zero.
  int position = exponent - kMantissaBits - kLowestExponent;
  int64_t mantissa = static_cast<int64_t>(std::ldexp(fraction, kMantissaBits));
  if (position < 0) {
    mantissa /= int64_t{1} << -position;
    position = 0;
  }
  const int64_t sign = mantissa < 0 ? -1 : 1;
  const uint64_t shifted = static_cast<uint64_t>(mantissa * sign) << (position % 32);
  const size_t digit = static_cast<size_t>(position / 32);
  digits_[digit] += sign * static_cast<int64_t>(shifted & 0xffffffffu);
  digits_[digit + 1] += sign * static_cast<int64_t>(shifted >> 32);
  if (++pending_ >= kCarryAfter) Carry();
}

// Brings all digits but the highest, which keeps the sign, into 0 .. 2^32 - 1.
void ExactSum::Carry() {
  for (size_t i = 0; i + 1 < digits_.size(); ++i) {
    int64_t carry = digits_[i] / kBase;
    if (digits_[i] % kBase < 0) --carry;
    digits_[i] -= carry * kBase;
    digits_[i + 1] += carry;
  }
  pending_ = 0;
}

void ExactSum::Merge(const ExactSum& other) {
  ExactSum addend = other;
  addend.Carry();
  Carry();
  for (size_t i = 0; i < digits_.size(); ++i) digits_[i] += addend.digits_[i];
  Carry();
}

double ExactSum::Get() const {
  ExactSum sum = *this;
  sum.Carry();
  double total = 0;
  for (int i = kDigits - 1; i >= 0; --i) {
    total += std::ldexp(static_cast<double>(sum.digits_[static_cast<size_t>(i)]),
                        32 * i + kLowestExponent);
  }
  return total;
}

bool ExactSum::operator==(const ExactSum& other) const {
  ExactSum a = *this;
  ExactSum b = other;
  a.Carry();
  b.Carry();
  return a.digits_ == b.digits_;
}

}  // namespace intmill
