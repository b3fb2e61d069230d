// Resizes pictures: bilinear, averaging over all pixels that shrink into one, then a centre crop.
#include <algorithm>
#include <cmath>

#include "cli/picture.h"

namespace intmill::cli {
namespace {

// How one pixel of the result is made: weights of pixels first, first + 1, ...
struct Tap {
  int64_t first = 0;
  std::vector<float> weights;
};

// Result pixel i lies at c = (i + 0.5) * s of the source, s = from / to; source pixel j has weight
// max(0, 1 - |j + 0.5 - c| / r) with r = max(s, 1), scaled to a sum of 1.
std::vector<Tap> MakeTaps(int64_t from, int64_t to) {
  const double s = static_cast<double>(from) / static_cast<double>(to);
  const double r = std::max(s, 1.0);
  std::vector<Tap> taps(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const double c = (static_cast<double>(i) + 0.5) * s;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(c - r + 0.5)));
    const auto last = std::min<int64_t>(from, static_cast<int64_t>(std::floor(c + r + 0.5)));
    Tap& tap = taps[static_cast<size_t>(i)];
    tap.first = first;
    double sum = 0;
    for (int64_t j = first; j < last; ++j) {
      const double weight = std::max(0.0, 1.0 - std::abs(static_cast<double>(j) + 0.5 - c) / r);
      tap.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : tap.weights) weight = static_cast<float>(weight / sum);
  }
  return taps;
}

uint8_t ToByte(float value) {
  return static_cast<uint8_t>(std::clamp(std::nearbyint(value), 0.0F, 255.0F));
}

}  // namespace

Picture Resize(const Picture& picture, int64_t height, int64_t width) {
  const std::vector<Tap> columns = MakeTaps(picture.width, width);
  std::vector<float> narrow(static_cast<size_t>(picture.height * width * kChannels));
  for (int64_t y = 0; y < picture.height; ++y) {
    const uint8_t* const row = picture.pixels.data() + y * picture.width * kChannels;
    float* const out = narrow.data() + y * width * kChannels;
    for (int64_t x = 0; x < width; ++x) {
      const Tap& tap = columns[static_cast<size_t>(x)];
      for (size_t k = 0; k < tap.weights.size(); ++k) {
        const uint8_t* const pixel = row + (tap.first + static_cast<int64_t>(k)) * kChannels;
        for (int64_t c = 0; c < kChannels; ++c)
          out[x * kChannels + c] += tap.weights[k] * static_cast<float>(pixel[c]);
      }
    }
  }

  const std::vector<Tap> rows = MakeTaps(picture.height, height);
  const int64_t stride = width * kChannels;
  Picture result{height, width, std::vector<uint8_t>(static_cast<size_t>(height * stride))};
  std::vector<float> sum(static_cast<size_t>(stride));
  for (int64_t y = 0; y < height; ++y) {
    const Tap& tap = rows[static_cast<size_t>(y)];
    std::fill(sum.begin(), sum.end(), 0.0F);
    for (size_t k = 0; k < tap.weights.size(); ++k) {
      const float* const row = narrow.data() + (tap.first + static_cast<int64_t>(k)) * stride;
      for (int64_t i = 0; i < stride; ++i) sum[static_cast<size_t>(i)] += tap.weights[k] * row[i];
    }
    std::transform(sum.begin(), sum.end(), result.pixels.begin() + y * stride, ToByte);
  }
  return result;
}

Picture ResizeAndCrop(Picture picture, int64_t size) {
  if (picture.height == size && picture.width == size) return picture;
  const int64_t short_side = std::min(picture.height, picture.width);
  if (short_side != size) {
    const int64_t height = std::max(size, picture.height * size / short_side);
    const int64_t width = std::max(size, picture.width * size / short_side);
    picture = Resize(picture, height, width);
  }
  const int64_t top = (picture.height - size) / 2;
  const int64_t left = (picture.width - size) / 2;
  Picture crop{size, size, {}};
  crop.pixels.reserve(static_cast<size_t>(size * size * kChannels));
  for (int64_t y = top; y < top + size; ++y) {
    const auto row = picture.pixels.begin() + (y * picture.width + left) * kChannels;
    crop.pixels.insert(crop.pixels.end(), row, row + size * kChannels);
  }
  return crop;
}

}  // namespace intmill::cli
