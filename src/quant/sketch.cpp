// Sketch: signs from a hash of the position.
#include "quant/sketch.h"

#include <cmath>
#include <limits>

#include "base/base64.h"
#include "base/bytes.h"

namespace intmill {
namespace {

constexpr size_t kMostBuckets = 65536;

// SplitMix64 (Steele, Lea, Flood 2014): neighbouring positions get unrelated bits.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace

// 64 signs from one hash.
void Sketch::Add(std::span<const float> values) {
  uint64_t signs = Mix(count_ / 64);
  for (const float value : values) {
    const double x = static_cast<double>(value);
    sums_[count_ % sums_.size()] += (signs >> count_ % 64 & 1) != 0 ? x : -x;
    if (++count_ % 64 == 0) signs = Mix(count_ / 64);
  }
}

Sketch Sketch::Rounded() const {
  Sketch rounded = *this;
  for (double& sum : rounded.sums_) sum = static_cast<double>(static_cast<float>(sum));
  return rounded;
}

std::string Sketch::ToText() const {
  ByteWriter bytes;
  for (const double sum : sums_) bytes.Float(static_cast<float>(sum));
  return ToBase64(bytes.bytes());
}

Result<Sketch> Sketch::FromText(std::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, FromBase64(text));
  if (bytes.empty() || bytes.size() % 4 != 0 || bytes.size() / 4 > kMostBuckets)
    return Error(Code::kBadFormat, bytes.size(), " bytes are no sketch");
  Sketch sketch(bytes.size() / 4);
  ByteReader reader(bytes);
  for (double& sum : sketch.sums_) {
    ASSIGN_OR_RETURN(const float value, reader.Float());
    sum = static_cast<double>(value);
  }
  return sketch;
}

double Sketch::SqnrDb(const Sketch& a, const Sketch& b) {
  if (a.buckets() != b.buckets()) return std::numeric_limits<double>::quiet_NaN();
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < a.sums_.size(); ++i) {
    signal += a.sums_[i] * a.sums_[i];
    noise += (a.sums_[i] - b.sums_[i]) * (a.sums_[i] - b.sums_[i]);
  }
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

}  // namespace intmill
