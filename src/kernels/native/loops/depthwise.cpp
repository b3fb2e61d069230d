// Depthwise convolutions of bytes, with square kernels. The rows under a kernel are woven: bytes of
// one column that are multiplied together come to lie side by side, so that one instruction
// multiplies and adds them. Nothing woven is ever stored: either the columns under the kernel wait
// in registers, or the sums of all output pixels that a column is under do.
#include "kernels/native/loops/depthwise.h"

#include "kernels/native/loops/loops.h"

#if defined(__AVX2__)
#include "kernels/native/loops/depthwise_x86.h"
#else
#include "kernels/native/loops/depthwise_plain.h"
#endif

namespace intmill::native::INTMILL_LEVEL {
namespace {

template <typename V>
constexpr int64_t kGroupBytes = V::kChannels* kGroup* kWeightBytes;

// Few enough weights stay in registers, where there are 32: loads are what bounds the loop.
template <typename V>
struct WeightsInRegisters {
  Column<V> first;
  Column<V> second;
  Column<V> third;

  explicit WeightsInRegisters(const uint8_t* from)
      : first(LoadColumn<V>(from)),
        second(LoadColumn<V>(from + kGroupBytes<V>)),
        third(LoadColumn<V>(from + 2 * kGroupBytes<V>)) {}
  [[gnu::always_inline]] const Column<V>& At(int i) const {
    return i == 0 ? first : i == 1 ? second : third;
  }
};

template <typename V>
struct WeightsInMemory {
  const uint8_t* from;

  explicit WeightsInMemory(const uint8_t* weights) : from(weights) {}
  [[gnu::always_inline]] Column<V> At(int i) const {
    return LoadColumn<V>(from + i * kGroupBytes<V>);
  }
};

template <bool kInRegisters, typename V>
struct Choose {
  using Weights = WeightsInMemory<V>;
};
template <typename V>
struct Choose<true, V> {
  using Weights = WeightsInRegisters<V>;
};

struct Constants {
  const uint8_t* weights;
  const int32_t* start;
  const float* scales;
  const float* bias;
};

template <typename V, int kSide>
Constants ConstantsAt(const uint8_t* packed) {
  constexpr int kGroups = (kSide + kGroup - 1) / kGroup;
  const uint8_t* start = packed + kSide * kGroups * kGroupBytes<V>;
  const auto* scales = reinterpret_cast<const float*>(start + V::kChannels * 4);
  return {packed, reinterpret_cast<const int32_t*>(start), scales, scales + V::kChannels};
}

// Loops over sums are recursive templates: compilers put arrays into registers only where every
// index is a constant before they unroll.

// A column is under column kTap of the kernel of sums[0], kTap - kStride of that of sums[1], ...
template <typename V, int kStride, int kTap, int kGroups, typename W>
[[gnu::always_inline]] inline void AddToSums(const Column<V>& column, const W& weights, int group,
                                             Sums<V>* sums) {
  AddProducts<V>(column, weights.At(kTap * kGroups + group), *sums);
  if constexpr (kTap >= kStride)
    AddToSums<V, kStride, kTap - kStride, kGroups>(column, weights, group, sums + 1);
}

// Rows kRow and what is woven with it, then those that follow.
template <typename V, int kSide, int kStride, int kTap, int kRow = 0, typename W>
[[gnu::always_inline]] inline void AddColumn(const DepthwiseStrip& s, int64_t column,
                                             int64_t channel, const W& weights, Sums<V>* sums) {
  constexpr int kGroups = (kSide + kGroup - 1) / kGroup;
  constexpr int kRows = kSide - kRow < kGroup ? kSide - kRow : kGroup;
  const bool is_inside = column >= 0 && column < s.middle;
  const Column<V> woven = is_inside
                              ? Weave<V, kRows>(s.rows + kRow, column * s.step + channel, s.flip)
                              : FillColumn<V>(s.padding ^ s.flip);
  AddToSums<V, kStride, kTap, kGroups>(woven, weights, kRow / kGroup, sums);
  if constexpr (kRow + kGroup < kSide)
    AddColumn<V, kSide, kStride, kTap, kRow + kGroup>(s, column, channel, weights, sums);
}

// Takes the first of kCount sums away, and starts a new last one.
template <typename V, int kCount>
[[gnu::always_inline]] inline void Advance(const Constants& block, Sums<V>* sums) {
  if constexpr (kCount > 1) {
    sums[0] = sums[1];
    Advance<V, kCount - 1>(block, sums + 1);
  } else {
    sums[0] = LoadSums<V>(block.start);
  }
}

template <typename V>
[[gnu::always_inline]] inline void Finish(const Sums<V>& sums, const Constants& block,
                                          const DepthwiseFinish& f, void* out, int64_t at) {
  if (f.output == DepthwiseOutput::kSums)
    return StoreInOrder<V>(sums, static_cast<int32_t*>(out) + at);
  const Floats<V> t = Scale<V>(sums, block.scales, block.bias, f);
  if (f.output == DepthwiseOutput::kF32)
    return StoreInOrder<V>(f.has_clamp ? Clamp<V>(t, f) : t, static_cast<float*>(out) + at);
  StoreBytes<V>(RoundToBytes<V>(t, f), static_cast<uint8_t*>(out) + at);
}

template <typename V>
[[gnu::always_inline]] inline Column<V> ColumnAt(const DepthwiseStrip& s, int64_t column,
                                                 int64_t channel) {
  return column >= 0 && column < s.middle ? Weave < V,
         kGroup < 3 ? kGroup : 3 > (s.rows, column * s.step + channel, s.flip)
                                          : FillColumn<V>(s.padding ^ s.flip);
}

// sums[0] is of the output pixel whose last column comes next, and so on. The first rounds only
// fill the queue: their pixels lie left of the strip.
template <typename V, int kSide, int kStride>
[[gnu::always_inline]] inline void RunBlock(const DepthwiseStrip& s, const Constants& block,
                                            const DepthwiseFinish& f, int64_t channel) {
  constexpr int kQueue = (kSide + kStride - 1) / kStride;
  const WeightsInMemory<V> weights(block.weights);
  Sums<V> sums[kQueue];
  for (int i = 0; i < kQueue; ++i) Advance<V, kQueue>(block, sums);
  int64_t column = -s.left;
  for (int64_t pixel = 1 - kQueue; pixel < s.pixels; ++pixel) {
    AddColumn<V, kSide, kStride, kSide - 1>(s, column, channel, weights, sums);
    if (pixel >= 0) Finish<V>(sums[0], block, f, s.out, pixel * s.out_step + channel);
    Advance<V, kQueue>(block, sums);
    if constexpr (kStride == 2)
      AddColumn<V, kSide, kStride, kSide - 2>(s, column + 1, channel, weights, sums);
    column += kStride;
  }
}

// The same for three columns of one group of rows, which registers hold: the queue is of columns,
// and the sums of one pixel need no more than themselves.
template <typename V, int kStride>
[[gnu::always_inline]] inline void RunThree(const DepthwiseStrip& s, const Constants& block,
                                            const DepthwiseFinish& f, int64_t channel) {
  const typename Choose<kManyRegisters, V>::Weights weights(block.weights);
  int64_t column = -s.left;
  Column<V> first = ColumnAt<V>(s, column, channel);
  Column<V> second = ColumnAt<V>(s, column + 1, channel);
  for (int64_t pixel = 0; pixel < s.pixels; ++pixel) {
    const Column<V> third = ColumnAt<V>(s, column + 2, channel);
    Sums<V> sums = LoadSums<V>(block.start);
    AddProducts<V>(first, weights.At(0), sums);
    AddProducts<V>(second, weights.At(1), sums);
    AddProducts<V>(third, weights.At(2), sums);
    Finish<V>(sums, block, f, s.out, pixel * s.out_step + channel);
    column += kStride;
    first = kStride == 1 ? second : third;
    second = kStride == 1 ? third : ColumnAt<V>(s, column + 1, channel);
  }
}

template <typename V, int kSide, int kStride>
void RunStrip(const DepthwiseStrip& strip, const DepthwiseBlocks& blocks,
              const DepthwiseFinish& finish) {
  const DepthwiseStrip s = strip;  // copies, as a byte that is stored might be part of anything
  const DepthwiseBlocks all = blocks;
  const DepthwiseFinish f = finish;
  for (int64_t b = 0; b < all.count; ++b) {
    const Constants block = ConstantsAt<V, kSide>(all.packed + b * all.bytes);
    const int64_t channel = b + 1 < all.count ? b * V::kChannels : all.last;
    if constexpr (kSide == 3 && kGroup >= 3) {
      RunThree<V, kStride>(s, block, f, channel);
    } else {
      RunBlock<V, kSide, kStride>(s, block, f, channel);
    }
  }
}

template <typename V>
constexpr DepthwiseWidth kWidth = {.channels = V::kChannels,
                                   .side3 = {RunStrip<V, 3, 1>, RunStrip<V, 3, 2>},
                                   .side5 = {RunStrip<V, 5, 1>, RunStrip<V, 5, 2>}};

#if defined(__AVX512BW__)
constexpr DepthwiseWidth kWidths[] = {kWidth<V512>, kWidth<V256>, kWidth<V128>};
#elif defined(__AVX2__)
constexpr DepthwiseWidth kWidths[] = {kWidth<V256>, kWidth<V128>};
#else
constexpr DepthwiseWidth kWidths[] = {kWidth<Plain>};
#endif

}  // namespace

const DepthwiseLoops kDepthwiseLoops = {.group = kGroup,
                                        .weight_bytes = kWeightBytes,
                                        .width_count = sizeof(kWidths) / sizeof(kWidths[0]),
                                        .widths = kWidths};

}  // namespace intmill::native::INTMILL_LEVEL
