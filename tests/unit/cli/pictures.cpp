// Tests of decoding, resizing and cropping pictures, and of folders of them.
#include <criterion/criterion.h>
#include <cstdio>  // before jpeglib.h, which needs it
#include <cstdlib>
#include <jpeglib.h>
#include <png.h>

#include "cli/picture.h"
#include "unit/cli/data_helpers.h"
#include "unit/temporary_folder.h"

using namespace intmill::cli;

namespace {

std::span<const std::byte> AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

Picture OneColour(int64_t height, int64_t width, std::vector<uint8_t> rgb) {
  Picture picture{height, width, {}};
  for (int64_t i = 0; i < height * width; ++i)
    picture.pixels.insert(picture.pixels.end(), rgb.begin(), rgb.end());
  return picture;
}

std::string EncodePng(const std::vector<uint8_t>& pixels, int64_t height, int64_t width,
                      uint32_t format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(height);
  image.width = static_cast<png_uint_32>(width);
  image.format = format;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr);
  std::string file(size, '\0');
  png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr);
  return file;
}

std::string EncodeJpeg(const std::vector<uint8_t>& pixels, int64_t height, int64_t width,
                       J_COLOR_SPACE space, int components) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr error{};
  jpeg.err = jpeg_std_error(&error);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's type
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.input_components = components;
  jpeg.in_color_space = space;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<uint8_t*>(pixels.data() + jpeg.next_scanline * width * components);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string file(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return file;
}

// JPEG rounds colours; 2 of 255 is more than quality 100 loses on one flat colour.
void AssertColour(const Picture& picture, std::vector<int> rgb) {
  for (size_t c = 0; c < 3; ++c)
    cr_assert_leq(std::abs(picture.pixels[c] - rgb[c]), 2, "channel %zu: %d", c, picture.pixels[c]);
}

}  // namespace

Test(cli_pictures, png_decodes_exactly) {
  const std::vector<uint8_t> pixels{255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3};
  const Picture picture = DecodePng(AsBytes(EncodePng(pixels, 2, 2, PNG_FORMAT_RGB)), "x.png");
  cr_assert(picture.height == 2 && picture.width == 2);
  cr_assert(picture.pixels == pixels);
}

Test(cli_pictures, png_drops_alpha_and_spreads_grey) {
  const std::vector<uint8_t> rgba{10, 20, 30, 128};
  cr_assert(DecodePng(AsBytes(EncodePng(rgba, 1, 1, PNG_FORMAT_RGBA)), "x").pixels ==
            (std::vector<uint8_t>{10, 20, 30}));
  cr_assert(DecodePng(AsBytes(EncodePng({77}, 1, 1, PNG_FORMAT_GRAY)), "x").pixels ==
            (std::vector<uint8_t>{77, 77, 77}));
}

Test(cli_pictures, jpeg_decodes_rgb_grey_and_cmyk) {
  const Picture rgb = OneColour(8, 8, {200, 100, 50});
  AssertColour(DecodeJpeg(AsBytes(EncodeJpeg(rgb.pixels, 8, 8, JCS_RGB, 3)), "x"), {200, 100, 50});
  const std::vector<uint8_t> grey(64, 90);
  AssertColour(DecodeJpeg(AsBytes(EncodeJpeg(grey, 8, 8, JCS_GRAYSCALE, 1)), "x"), {90, 90, 90});
  std::vector<uint8_t> cmyk;
  for (int i = 0; i < 64; ++i) cmyk.insert(cmyk.end(), {200, 100, 50, 255});
  AssertColour(DecodeJpeg(AsBytes(EncodeJpeg(cmyk, 8, 8, JCS_CMYK, 4)), "x"), {200, 100, 50});
}

Test(cli_pictures, cut_files_are_refused) {
  const Picture picture = OneColour(16, 16, {1, 200, 3});
  const std::string jpeg = EncodeJpeg(picture.pixels, 16, 16, JCS_RGB, 3);
  const std::string png = EncodePng(picture.pixels, 16, 16, PNG_FORMAT_RGB);
  // The last bytes of a JPEG may be padding that no pixel needs.
  for (size_t size = 0; size < jpeg.size() - 16; ++size) {
    const std::string cut = jpeg.substr(0, size);
    cr_assert_neq(FailureOf([&] { DecodeJpeg(AsBytes(cut), "x.jpg"); }), "", "jpeg, %zu", size);
  }
  // The last chunk of a PNG is empty: without it all pixels are there.
  for (size_t size = 0; size < png.size() - 16; ++size) {
    const std::string cut = png.substr(0, size);
    cr_assert_neq(FailureOf([&] { DecodePng(AsBytes(cut), "x.png"); }), "", "png, %zu", size);
  }
}

Test(cli_pictures, changed_bytes_never_crash) {
  const Picture picture = OneColour(16, 16, {1, 200, 3});
  const std::string jpeg = EncodeJpeg(picture.pixels, 16, 16, JCS_RGB, 3);
  for (size_t i = 0; i < jpeg.size(); ++i) {
    std::string changed = jpeg;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    FailureOf([&] { DecodeJpeg(AsBytes(changed), "x.jpg"); });
  }
}

Test(cli_pictures, more_pixels_than_allowed_are_refused_before_decoding) {
  std::string jpeg = EncodeJpeg(OneColour(8, 8, {1, 2, 3}).pixels, 8, 8, JCS_RGB, 3);
  const size_t frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");  // height and width 65500
  cr_assert(Contains(FailureOf([&] { DecodeJpeg(AsBytes(jpeg), "x.jpg"); }), "more than"));
}

Test(cli_pictures, resizing_keeps_one_colour_and_averages_two) {
  const Picture flat = Resize(OneColour(50, 70, {9, 99, 199}), 13, 17);
  cr_assert(flat.height == 13 && flat.width == 17);
  cr_assert(flat.pixels == OneColour(13, 17, {9, 99, 199}).pixels);
  const Picture two{1, 2, {0, 0, 0, 100, 100, 100}};
  cr_assert(Resize(two, 1, 1).pixels == (std::vector<uint8_t>{50, 50, 50}));
}

Test(cli_pictures, enlarging_interpolates_between_pixel_centres) {
  const Picture two{1, 2, {0, 0, 0, 100, 100, 100}};
  const Picture four = Resize(two, 1, 4);
  const std::vector<uint8_t> red{four.pixels[0], four.pixels[3], four.pixels[6], four.pixels[9]};
  cr_assert(red == (std::vector<uint8_t>{0, 25, 75, 100}));
}

Test(cli_pictures, crop_takes_the_centre_of_the_long_side) {
  Picture wide{1, 3, {1, 1, 1, 2, 2, 2, 3, 3, 3}};
  cr_assert(ResizeAndCrop(wide, 1).pixels == (std::vector<uint8_t>{2, 2, 2}));
  const Picture large = ResizeAndCrop(OneColour(40, 90, {5, 6, 7}), 20);
  cr_assert(large.height == 20 && large.width == 20);
}

Test(cli_pictures, folder_is_read_in_name_order) {
  const TemporaryFolder folder;
  folder.Write("b.png", EncodePng(OneColour(4, 4, {2, 2, 2}).pixels, 4, 4, PNG_FORMAT_RGB));
  folder.Write("a.PNG", EncodePng(OneColour(4, 4, {1, 1, 1}).pixels, 4, 4, PNG_FORMAT_RGB));
  folder.Write("notes.txt", "not a picture");
  const DatasetPtr data = OpenDataset(folder.path().string(), "", 0);
  cr_assert_eq(data->count(), 2);
  cr_assert(data->sample().dims == (Dims{4, 4, 3}));
  cr_assert_eq(ReadSample<uint8_t>(*data, 0)[0], 1);
  cr_assert_eq(ReadSample<uint8_t>(*data, 1)[0], 2);
}

Test(cli_pictures, pictures_of_different_sizes_need_one_size) {
  const TemporaryFolder folder;
  folder.Write("a.png", EncodePng(OneColour(4, 4, {1, 1, 1}).pixels, 4, 4, PNG_FORMAT_RGB));
  folder.Write("b.png", EncodePng(OneColour(6, 8, {2, 2, 2}).pixels, 6, 8, PNG_FORMAT_RGB));
  const DatasetPtr unsized = OpenPictures(folder.path().string(), 0);
  cr_assert(Contains(FailureOf([&] { ReadSample<uint8_t>(*unsized, 1); }), "b.png: 6x8"));
  const DatasetPtr sized = OpenPictures(folder.path().string(), 4);
  cr_assert(ReadSample<uint8_t>(*sized, 1) == OneColour(4, 4, {2, 2, 2}).pixels);
}

Test(cli_pictures, folder_without_pictures_is_refused) {
  const TemporaryFolder folder;
  cr_assert(Contains(FailureOf([&] { OpenPictures(folder.path().string(), 0); }), "no .jpg"));
}
