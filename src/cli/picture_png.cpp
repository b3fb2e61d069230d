// Decodes PNG through libpng.
#include <png.h>

#include "cli/error.h"
#include "cli/picture.h"

namespace intmill::cli {

bool LooksLikePng(std::span<const std::byte> bytes) {
  return bytes.size() > 8 &&
         png_sig_cmp(reinterpret_cast<png_const_bytep>(bytes.data()), 0, 8) == 0;
}

// Read with alpha, which is then dropped: without it libpng would blend with a background.
Picture DecodePng(std::span<const std::byte> bytes, const std::string& name) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto fail = [&] {
    const std::string message = image.message;
    png_image_free(&image);
    return Failure(Cat(name, ": cannot be decoded: ", message));
  };
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) throw fail();
  image.format = PNG_FORMAT_RGBA;
  Picture picture{image.height, image.width, {}};
  const int64_t pixels = picture.height * picture.width;
  if (pixels > kMostPixels) {
    png_image_free(&image);
    throw Failure(Cat(name, ": ", pixels, " pixels, at most ", kMostPixels, " are taken"));
  }
  std::vector<uint8_t> rgba(static_cast<size_t>(pixels * 4));
  if (png_image_finish_read(&image, nullptr, rgba.data(), 0, nullptr) == 0) throw fail();
  picture.pixels.resize(static_cast<size_t>(pixels * kChannels));
  for (int64_t i = 0; i < pixels; ++i) {
    for (int64_t c = 0; c < kChannels; ++c)
      picture.pixels[static_cast<size_t>(i * kChannels + c)] = rgba[static_cast<size_t>(i * 4 + c)];
  }
  return picture;
}

}  // namespace intmill::cli
