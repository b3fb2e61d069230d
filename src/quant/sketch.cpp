// Sketch: signs from a hash of the position.
#include "quant/sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/base64.h"
#include "base/bytes.h"

namespace intmill {
namespace {

constexpr size_t kMostBuckets = 65536;
constexpr int kCountBits = 12;
constexpr uint32_t kCountMask = (1 << kCountBits) - 1;
constexpr int kLargestCount = (1 << (kCountBits - 1)) - 1;

int32_t CountOf(double sum, float step) {
  const double count = std::round(sum / static_cast<double>(step));
  if (std::isnan(count)) return 0;
  return static_cast<int32_t>(std::clamp<double>(count, -kLargestCount, kLargestCount));
}

int32_t Signed(uint32_t count) {
  return static_cast<int32_t>(count << (32 - kCountBits)) >> (32 - kCountBits);
}

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

// NaN where a sum is not finite, so that nothing of the sketch looks like a number.
float Sketch::Step() const {
  double largest = 0;
  for (const double sum : sums_) {
    if (!std::isfinite(sum)) return std::numeric_limits<float>::quiet_NaN();
    largest = std::max(largest, std::abs(sum));
  }
  return static_cast<float>(largest / kLargestCount);
}

Sketch Sketch::Rounded() const {
  Sketch rounded = *this;
  const float step = Step();
  for (double& sum : rounded.sums_) sum = CountOf(sum, step) * static_cast<double>(step);
  return rounded;
}

// Two counts of 12 bits to three bytes, the first one in the lower bits.
std::string Sketch::ToText() const {
  ByteWriter bytes;
  const float step = Step();
  bytes.Float(step);
  for (size_t i = 0; i < sums_.size(); i += 2) {
    const auto first = static_cast<uint32_t>(CountOf(sums_[i], step)) & kCountMask;
    const auto second = static_cast<uint32_t>(CountOf(sums_[i + 1], step)) & kCountMask;
    const uint32_t both = first | second << kCountBits;
    for (int shift = 0; shift < 2 * kCountBits; shift += 8)
      bytes.Byte(static_cast<uint8_t>(both >> shift));
  }
  return ToBase64(bytes.bytes());
}

Result<Sketch> Sketch::FromText(std::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, FromBase64(text));
  const size_t pairs = bytes.size() / 3 - std::min<size_t>(bytes.size() / 3, 1);
  if (pairs == 0 || bytes.size() != 4 + 3 * pairs || 2 * pairs > kMostBuckets)
    return Error(Code::kBadFormat, bytes.size(), " bytes are no sketch");
  Sketch sketch(2 * pairs);
  ByteReader reader(bytes);
  ASSIGN_OR_RETURN(const float step, reader.Float());
  for (size_t i = 0; i < sketch.sums_.size(); i += 2) {
    uint32_t both = 0;
    for (int shift = 0; shift < 2 * kCountBits; shift += 8) {
      ASSIGN_OR_RETURN(const uint8_t byte, reader.Byte());
      both |= static_cast<uint32_t>(byte) << shift;
    }
    sketch.sums_[i] = Signed(both & kCountMask) * static_cast<double>(step);
    sketch.sums_[i + 1] = Signed(both >> kCountBits) * static_cast<double>(step);
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
