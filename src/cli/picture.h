// Pictures: decoding JPEG and PNG, resizing, cropping.
#ifndef INTMILL_CLI_PICTURE_H
#define INTMILL_CLI_PICTURE_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace intmill::cli {

// RGB, height x width x 3.
struct Picture {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;
};

inline constexpr int64_t kChannels = 3;
inline constexpr int64_t kMostPixels = 100'000'000;

bool LooksLikeJpeg(std::span<const std::byte> bytes);
bool LooksLikePng(std::span<const std::byte> bytes);
Picture DecodeJpeg(std::span<const std::byte> bytes, const std::string& name);
Picture DecodePng(std::span<const std::byte> bytes, const std::string& name);

// Bilinear, averaging over all pixels that shrink into one.
Picture Resize(const Picture& picture, int64_t height, int64_t width);
// Brings the short side to `size` and crops the centre, unless it is size x size already.
Picture ResizeAndCrop(Picture picture, int64_t size);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_PICTURE_H
