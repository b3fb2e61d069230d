// Decodes JPEG through libjpeg.
#include <csetjmp>
#include <cstdio>  // before jpeglib.h, which needs it
#include <jpeglib.h>

#include "cli/error.h"
#include "cli/picture.h"

namespace intmill::cli {
namespace {

struct ErrorExit {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

void OnError(j_common_ptr jpeg) {
  auto* const exit = reinterpret_cast<ErrorExit*>(jpeg->err);
  (*jpeg->err->format_message)(jpeg, exit->message);
  std::longjmp(exit->back, 1);  // NOLINT(cert-err52-cpp): no exception may cross libjpeg's frames
}

void Ignore(j_common_ptr) {}
void IgnoreMessage(j_common_ptr, int) {}

// Adobe's CMYK stores inverted ink: 255 is none, so a colour is ink x black / 255.
void CmykToRgb(const uint8_t* cmyk, int64_t pixels, uint8_t* rgb) {
  for (int64_t i = 0; i < pixels; ++i) {
    for (int64_t c = 0; c < kChannels; ++c)
      rgb[i * kChannels + c] = static_cast<uint8_t>(cmyk[i * 4 + c] * cmyk[i * 4 + 3] / 255);
  }
}

// longjmp passes over this function's frame, so nothing here has a destructor.
bool Decode(std::span<const std::byte> bytes, jpeg_decompress_struct& jpeg, ErrorExit& error,
            Picture& picture, std::vector<uint8_t>& row) {
  if (setjmp(error.back) != 0) return false;  // NOLINT(cert-err52-cpp): see OnError
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  const bool is_cmyk = jpeg.num_components == 4;
  jpeg.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_calc_output_dimensions(&jpeg);
  picture.height = jpeg.output_height;
  picture.width = jpeg.output_width;
  if (picture.height * picture.width > kMostPixels) {
    std::snprintf(error.message, sizeof error.message, "more than %lld pixels",
                  static_cast<long long>(kMostPixels));
    return false;
  }
  picture.pixels.resize(static_cast<size_t>(picture.height * picture.width * kChannels));
  row.resize(static_cast<size_t>(picture.width * 4));
  jpeg_start_decompress(&jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    uint8_t* const out = picture.pixels.data() + jpeg.output_scanline * picture.width * kChannels;
    JSAMPROW line = is_cmyk ? row.data() : out;
    jpeg_read_scanlines(&jpeg, &line, 1);
    if (is_cmyk) CmykToRgb(row.data(), picture.width, out);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

}  // namespace

bool LooksLikeJpeg(std::span<const std::byte> bytes) {
  return bytes.size() > 3 && bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0xd8} &&
         bytes[2] == std::byte{0xff};
}

Picture DecodeJpeg(std::span<const std::byte> bytes, const std::string& name) {
  jpeg_decompress_struct jpeg{};
  ErrorExit error{};
  jpeg.err = jpeg_std_error(&error.base);
  error.base.error_exit = OnError;
  error.base.output_message = Ignore;
  error.base.emit_message = IgnoreMessage;
  Picture picture;
  std::vector<uint8_t> row;
  bool is_done = false;
  try {
    is_done = Decode(bytes, jpeg, error, picture, row);
  } catch (...) {  // no memory for the pixels
    jpeg_destroy_decompress(&jpeg);
    throw;
  }
  // A file cut short decodes with grey below and a warning: not something to calibrate on.
  const bool is_damaged = error.base.num_warnings > 0;
  jpeg_destroy_decompress(&jpeg);
  if (!is_done) throw Failure(Cat(name, ": cannot be decoded: ", error.message));
  if (is_damaged) throw Failure(Cat(name, ": damaged JPEG file"));
  return picture;
}

}  // namespace intmill::cli
