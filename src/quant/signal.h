// How much of a signal noise has taken, over any number of batches; and what a layer's input holds.
#ifndef INTMILL_QUANT_SIGNAL_H
#define INTMILL_QUANT_SIGNAL_H

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tensor/qparams.h"

namespace intmill {

// SQNR and cosine of floats, for many long values: no copies, and loops that vectorize. Pairs that
// are not both finite count as an infinite error unless they are equal.
class SignalSums {
 public:
  void Add(std::span<const float> reference, std::span<const float> candidate);
  void Merge(const SignalSums& other);
  double SqnrDb() const;  // +infinity when equal
  double Cosine() const;

 private:
  double sum_aa_ = 0;
  double sum_bb_ = 0;
  double sum_ab_ = 0;
  double sum_dd_ = 0;
};

// What was fed to a layer, beside the range that its integers can hold.
class InputSums {
 public:
  // Values lie as [.., channel, inner].
  void Add(std::span<const float> values, const QParams* params, int64_t channels, int64_t inner);
  void Merge(const InputSums& other);

  float min() const { return count_ > 0 ? min_ : 0; }
  float max() const { return count_ > 0 ? max_ : 0; }
  double ClippedShare() const;  // percent of the values that lie beyond the range
  double LargeShare() const;    // percent of the values above a sixteenth of the range
  std::span<const float> channel_peaks() const { return peaks_; }  // largest |x|
  int64_t count() const { return count_; }

 private:
  int64_t count_ = 0;  // finite ones
  int64_t clipped_ = 0;
  int64_t large_ = 0;
  float min_ = std::numeric_limits<float>::infinity();
  float max_ = -std::numeric_limits<float>::infinity();
  std::vector<float> peaks_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_SIGNAL_H
