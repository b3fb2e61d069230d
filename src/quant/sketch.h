// Sketch: a few numbers that stand for a long signal, so that its distance to another one can be
// estimated when the signal itself is gone.
#ifndef INTMILL_QUANT_SKETCH_H
#define INTMILL_QUANT_SKETCH_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace intmill {

// A count sketch (Charikar, Chen, Farach-Colton 2002): element i is added to bucket i mod n with a
// pseudo-random sign that depends on i alone. The squared length of the difference of two sketches
// has the squared distance of the signals as its expectation, with a relative deviation of at most
// sqrt(2 / n); it is exact while the signals are no longer than n. Depends on the order of the
// values and not on the portions in which they are added.
class Sketch {
 public:
  explicit Sketch(size_t buckets) : sums_(buckets) {}  // an even number

  void Add(std::span<const float> values);
  // As ToText keeps it: whole multiples of the largest sum / 2047, about 66 dB above their
  // rounding. NaN as a whole when one sum is not finite.
  Sketch Rounded() const;

  // Base64 of the step, a float, and of 12 bits for each sum.
  std::string ToText() const;
  static Result<Sketch> FromText(std::string_view text);

  // Estimated 10 log10(sum a^2 / sum (a - b)^2); +infinity when they are equal, NaN for values that
  // are not finite or for different numbers of buckets.
  static double SqnrDb(const Sketch& a, const Sketch& b);

  size_t buckets() const { return sums_.size(); }

 private:
  float Step() const;

  std::vector<double> sums_;
  uint64_t count_ = 0;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_SKETCH_H
