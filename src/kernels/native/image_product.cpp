// Convolutions as products with AMX, of images as they lie: a row of the left matrix is a window,
// and the lines of the window are parts of its depth. No window is copied, only an image that needs
// padding. Tiles want rows that are equally far apart, also from the last window of a line to the
// first one of the next: between these are a few that nobody wants. With VNNI those cost more than
// oneDNN loses, and rows anywhere cost a quarter more time than rows equally far apart.
#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/parallel.h"
#include "kernels/convolution.h"
#include "kernels/native/product.h"
#include "kernels/native/round_up.h"

namespace intmill::native {
namespace {

// Bytes of images with their padding: whatever its share, and at most.
constexpr int64_t kSmall = 64 * 1024;
constexpr int64_t kMost = 64 * 1024 * 1024;
constexpr int64_t kSlack = 64;  // behind the last line: padded parts are read beyond their end

// One spatial dimension of a convolution.
struct Axis {
  int64_t in = 1;
  int64_t out = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad = 0;
  int64_t read = 1;  // from the first padded element to the last one

  static Axis Of(const Convolution& c, size_t d) {
    Axis a{c.in[d], c.out[d], c.kernel[d], c.strides[d], c.dilations[d], c.pads[d]};
    a.read = (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1;
    return a;
  }
  bool IsPadded() const { return pad > 0 || read > in; }
};

// How images lie when they are multiplied. Lines whose numbers differ by the stride are neighbours
// in one of as many planes; in a plane one image follows the other.
struct ImageLayout {
  explicit ImageLayout(const Convolution& c)
      : y(c.in.size() > 1 ? Axis::Of(c, 0) : Axis()),
        x(Axis::Of(c, c.in.size() - 1)),
        batch(c.batch),
        channels(c.in_channels),
        is_dense(x.dilation == 1),
        part_bytes(is_dense ? x.kernel * channels : channels),
        part_depth(PaddedPart()),
        in_place(!y.IsPadded() && !x.IsPadded() && part_depth == part_bytes && y.stride == 1 &&
                 x.stride == 1),
        lines(in_place ? y.in : RoundUp(y.read, y.stride) / y.stride),
        width(in_place ? x.in : RoundUp(x.read, x.stride)) {}

  int64_t line_bytes() const { return width * channels; }
  int64_t all_lines() const { return y.stride * batch * lines; }
  int64_t parts() const { return is_dense ? y.kernel : y.kernel * x.kernel; }

  Axis y;
  Axis x;
  int64_t batch;
  int64_t channels;
  bool is_dense;  // whether the pixels of a window's line are neighbours
  int64_t part_bytes;
  int64_t part_depth;  // at most kSlack more
  bool in_place;
  int64_t lines;  // of an image in a plane
  int64_t width;  // pixels of a line

 private:
  int64_t PaddedPart() const {
    int64_t depth = RoundUp(part_bytes, kProductGroup);
    while (TileStep(depth) == 0) depth += kProductGroup;
    return depth;
  }
};

// Of one dimension or two, and not mostly of padding, which oneDNN does not write; and not so large
// that a number for each window fills memory.
bool IsImage(const Convolution& c) {
  const auto is_positive = [](int64_t n) { return n > 0; };
  if (c.transposed || c.groups != 1 || c.in.size() > 2 || c.out_channels < 1 ||
      !std::ranges::all_of(c.out, is_positive))
    return false;
  int64_t given = 0;
  if (!MulFits(c.in_channels, c.batch, &given) || given == 0) return false;
  int64_t padded = given;
  for (size_t d = 0; d < c.in.size(); ++d) {
    int64_t strides = 0;
    int64_t window = 0;
    if (!MulFits(c.out[d], c.strides[d], &strides) ||
        !MulFits(c.kernel[d], c.dilations[d], &window) || !AddFits(strides, window, &window) ||
        !MulFits(padded, window, &padded) || !MulFits(given, c.in[d], &given))
      return false;
  }
  return padded < kSmall || (padded < kMost && padded / 4 < given);
}

// For each window that lies a step behind the last, the output that it is of; -1: none.
std::vector<int32_t> OutputsOfWindows(const ImageLayout& l) {
  const int64_t of_line = l.width / l.x.stride;
  const int64_t of_image = l.lines * of_line;
  const int64_t last = (l.y.out - 1) * of_line + l.x.out;
  std::vector<int32_t> outputs(static_cast<size_t>((l.batch - 1) * of_image + last), -1);
  int32_t output = 0;
  for (int64_t image = 0; image < l.batch; ++image)
    for (int64_t y = 0; y < l.y.out; ++y)
      for (int64_t x = 0; x < l.x.out; ++x)
        outputs[static_cast<size_t>(image * of_image + y * of_line + x)] = output++;
  return outputs;
}

RowLayout RowsOf(const ImageLayout& l) {
  RowLayout rows = {.step = l.x.stride * l.channels, .out_rows = OutputsOfWindows(l)};
  rows.rows = std::ssize(rows.out_rows);
  for (int64_t part = 0; part < l.parts(); ++part) {
    const int64_t line = (l.is_dense ? part : part / l.x.kernel) * l.y.dilation;
    const int64_t pixel = l.is_dense ? 0 : part % l.x.kernel * l.x.dilation;
    const int64_t plane = line % l.y.stride;
    const int64_t line_of_plane = plane * l.batch * l.lines + line / l.y.stride;
    rows.part_offsets.push_back((line_of_plane * l.width + pixel) * l.channels);
  }
  return rows;
}

class PaddedImages : public LeftRows {
 public:
  PaddedImages(const ImageLayout& layout, RowLayout rows, int32_t zero_point)
      : LeftRows(std::move(rows)), l_(layout), zero_point_(zero_point) {}

  int64_t scratch_bytes() const override { return l_.all_lines() * l_.line_bytes() + kSlack; }

  const uint8_t* Prepare(const uint8_t* images, std::byte* scratch) const override {
    auto* to = reinterpret_cast<uint8_t*>(scratch);
    const int64_t grain = std::max<int64_t>(1, kCopyGrain / l_.line_bytes());
    ParallelFor(l_.all_lines(), grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) CopyLine(images, i, to);
    });
    std::memset(to + l_.all_lines() * l_.line_bytes(), zero_point_, kSlack);
    return to;
  }

 private:
  // Lines in the order of the images, so that a thread copies what it made.
  void CopyLine(const uint8_t* images, int64_t i, uint8_t* to) const {
    const int64_t of_image = l_.lines * l_.y.stride;
    const int64_t image = i / of_image;
    const int64_t plane = i % l_.y.stride;
    const int64_t y = i % of_image - l_.y.pad;
    to += ((plane * l_.batch + image) * l_.lines + i % of_image / l_.y.stride) * l_.line_bytes();
    const bool is_there = y >= 0 && y < l_.y.in;
    const int64_t before = is_there ? std::min(l_.x.pad, l_.width) : l_.width;
    const int64_t pixels = is_there ? std::min(l_.x.in, l_.width - before) : 0;
    const auto bytes = [&](int64_t n) { return static_cast<size_t>(n * l_.channels); };
    std::memset(to, zero_point_, bytes(before));
    if (pixels > 0)
      std::memcpy(to + bytes(before), images + bytes((image * l_.y.in + y) * l_.x.in),
                  bytes(pixels));
    std::memset(to + bytes(before + pixels), zero_point_, bytes(l_.width - before - pixels));
  }

  const ImageLayout l_;
  const int32_t zero_point_;
};

// Of what a window has in place of a pixel.
MatMul AsMatMulOfWindows(const Convolution& c, const ImageLayout& l) {
  MatMul m = AsMatMul(c);
  m.a.back() = l.parts() * l.part_depth;
  m.b[m.b.size() - 2] = m.depth();
  m.a_strides.clear();
  return m;
}

// The weights of an output channel lie as [in][y][x]; a window as parts of [x][in]. What a part has
// more is multiplied by zeros.
void WriteWindow(const uint8_t* weights, const ImageLayout& l, uint8_t* window) {
  const int64_t pixels = l.y.kernel * l.x.kernel;
  const int64_t pixels_of_part = pixels / l.parts();
  std::memset(window, 0, static_cast<size_t>(l.parts() * l.part_depth));
  for (int64_t i = 0; i < pixels; ++i) {
    uint8_t* const to =
        window + i / pixels_of_part * l.part_depth + i % pixels_of_part * l.channels;
    for (int64_t c = 0; c < l.channels; ++c) to[c] = weights[c * pixels + i];
  }
}

const Products* ProductsOf(const Convolution& c, Isa isa) {
  if (!IsImage(c)) return nullptr;
  const ImageLayout l(c);
  const Products* const products = ProductsThatFit(AsMatMulOfWindows(c, l), isa, l.part_depth);
  return products != nullptr && products->has_tiles ? products : nullptr;
}

}  // namespace

bool PrefersImageProduct(const Convolution& c, Isa isa) { return ProductsOf(c, isa) != nullptr; }

Result<std::unique_ptr<Kernel>> MakeImageProduct(const Convolution& c, Isa isa) {
  const Products* const products = ProductsOf(c, isa);
  if (products == nullptr)
    return Error(Code::kUnsupported,
                 "a convolution of other than u8 images and s8 weights, or without AMX");
  const ImageLayout l(c);
  const MatMul m = AsMatMulOfWindows(c, l);
  RowLayout rows = RowsOf(l);
  std::unique_ptr<LeftRows> left;
  if (l.in_place)
    left = std::make_unique<LeftRows>(std::move(rows));
  else
    left = std::make_unique<PaddedImages>(l, std::move(rows), c.in_zero_point);
  const auto weight_rows = [&](int64_t first, int64_t n, uint8_t* windows) {
    const int64_t bytes = l.channels * l.y.kernel * l.x.kernel;
    for (int64_t i = 0; i < n; ++i)
      WriteWindow(static_cast<const uint8_t*>(c.weights) + (first + i) * bytes, l,
                  windows + i * m.depth());
  };
  return MakeProductOf(std::move(left), m, *products, "native int8 image product", weight_rows);
}

}  // namespace intmill::native
