// Products of u8 and s8 matrices with AMX. Sums of 32 rows and 32 columns stay in four tiles
// for the whole depth. Tiles cannot convert or round: the sums of a block go through the
// nearest cache, and its rows are finished in between the instructions that multiply the next one.
#include <immintrin.h>

#include "kernels/native/loops/product.h"
#include "kernels/native/loops/product_finish_x86.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr int64_t kTileRows = 16;
constexpr int64_t kTileBytes = 64;  // of a row
constexpr int64_t kBlockRows = kProductTileBlock;

// Written out: the intrinsics of gcc 12 do not tell what they read and write, and would have the
// whole file compiled with AMX.
template <int kTile>
[[gnu::always_inline]] inline void Load(const void* rows, int64_t step) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(rows), "r"(step), "i"(kTile));
}

// Weights, which do not push the left matrix out of the nearest cache.
template <int kTile>
[[gnu::always_inline]] inline void Stream(const void* rows, int64_t step) {
  asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" ::"r"(rows), "r"(step), "i"(kTile));
}

template <int kTile>
[[gnu::always_inline]] inline void Zero() {
  asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
}

template <int kTile>
[[gnu::always_inline]] inline void Store(int32_t* rows, int64_t step) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(rows), "r"(step * int64_t{sizeof(int32_t)}),
               "i"(kTile)
               : "memory");
}

// Sums += u8 rows of tile kA times s8 columns of tile kB.
template <int kSums, int kA, int kB>
[[gnu::always_inline]] inline void Add() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kA), "i"(kB));
}

// Tiles 0 to 3 hold sums, 4 and 5 rows of the left matrix, 6 and 7 columns of the right one.
struct alignas(64) Shapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tiles that have these shapes keep them: a processor that is told to shape them anew takes a while
// to multiply at full speed again. TileUse releases them.
void ShapeTiles(int64_t rows, int64_t step) {
  Shapes wanted;
  for (int i = 0; i < 8; ++i) {
    const bool is_left = i == 4 || i == 5;
    wanted.row_bytes[i] = static_cast<uint16_t>(is_left ? step : kTileBytes);
    wanted.rows[i] = static_cast<uint8_t>(i >= 6 ? step / kProductGroup : rows);
  }
  Shapes current;
  asm volatile("sttilecfg %0" : "=m"(current));
  if (_mm512_cmpneq_epi32_mask(_mm512_load_si512(&wanted), _mm512_load_si512(&current)) != 0)
    asm volatile("ldtilecfg %0" ::"m"(wanted));
}

// Weights that are wanted next, fetched a few lines at a time.
class Fetcher {
 public:
  Fetcher(const ProductPanel& p, int64_t turns)
      : at_(p.next), end_(p.next == nullptr ? nullptr : p.next + p.next_bytes) {
    const int64_t lines = (p.next_bytes + kTileBytes - 1) / kTileBytes;
    lines_ = (lines + turns - 1) / turns;
  }
  [[gnu::always_inline]] void Turn() {
    for (int64_t i = 0; i < lines_ && at_ < end_; ++i, at_ += kTileBytes)
      _mm_prefetch(at_, _MM_HINT_T1);
  }

 private:
  const uint8_t* at_;
  const uint8_t* const end_;
  int64_t lines_;
};

// A register of a row of sums. Tiles that loaded `start` would wait for the sums that are just
// being stored, twice as long as a step of the depth takes: they begin with zeros.
template <int kRegister>
[[gnu::always_inline]] inline __m512i Sum(const int32_t* sums, const int32_t* start) {
  constexpr int kAt = kRegister * kProductLanes;
  return _mm512_add_epi32(_mm512_load_si512(sums + kAt), _mm512_loadu_si512(start + kAt));
}

// Writes rows [first, first + count), whose sums lie one after the other.
using FinishRows = void (*)(const ProductRows& r, const ProductPanel& p, const ProductFinish& f,
                            const int32_t* sums, int64_t first, int64_t count);

template <ProductOutput kOutput, ProductAddend kAddend, int kRegisters>
void Finish(const ProductRows& r, const ProductPanel& p, const ProductFinish& f,
            const int32_t* sums, int64_t first, int64_t count) {
  const RowFinish<kOutput, kAddend, kRegisters, InRegisters<kRegisters>> finish(r, p, f);
  // What is written could be all of these, for all that a compiler knows.
  const int32_t* const out_rows = r.out_rows;
  const int32_t* const start = p.start;
  const int64_t rows = r.rows;
  const auto out_row = [&](int64_t row) -> int64_t {
    return out_rows == nullptr ? row : out_rows[row];
  };
  for (int64_t row = first; row < first + count; ++row, sums += kRegisters * kProductLanes) {
    const int64_t out = out_row(row);
    if (out < 0) continue;
    const __m512i s0 = Sum<0>(sums, start);
    const __m512i s1 = kRegisters > 1 ? Sum<1>(sums, start) : s0;
    const __m512i s2 = kRegisters > 2 ? Sum<2>(sums, start) : s0;
    const __m512i s3 = kRegisters > 3 ? Sum<3>(sums, start) : s0;
    const int64_t next = row + kBlockRows;
    finish(out, next < rows ? out_row(next) : -1, s0, s1, s2, s3);
  }
}

// A panel with up to four registers of columns, times all rows. The code that multiplies is there
// once for all outputs: the library is to be small.
template <int kRegisters>
class Panel {
 public:
  Panel(const ProductRows& r, const ProductPanel& p, const ProductFinish& f, FinishRows finish)
      : r_(r),
        p_(p),
        f_(f),
        finish_(finish),
        steps_(p.depth / r.parts / p.step),
        turn_(PerTurn(kBlockRows, r.parts * steps_)),
        fetcher_(p, kPairs * PerTurn(r.rows, kBlockRows) * r.parts * steps_) {}

  // The last block begins where it has as many rows as the others; few rows are one short tile.
  [[gnu::noinline, gnu::noclone]] void Run() {
    const int64_t tile_rows = r_.rows < kTileRows ? r_.rows : kTileRows;
    ShapeTiles(tile_rows, p_.step);
    int64_t at = 0;
    while (at < r_.rows) {
      const bool is_tall = r_.rows >= kBlockRows && r_.rows - at > kTileRows;
      const int64_t rows = is_tall ? kBlockRows : tile_rows;
      const int64_t first = at < r_.rows - rows ? at : r_.rows - rows;
      if (is_tall)
        Block<2>(first, rows);
      else
        Block<1>(first, rows);
      at = first + rows;
    }
    FinishMore(rows_ - done_);
  }

 private:
  static constexpr int kPairs = (kRegisters + 1) / 2;
  static constexpr int64_t kStep = kRegisters * kProductLanes;  // of sums, from row to row

  static int64_t PerTurn(int64_t all, int64_t turns) { return (all + turns - 1) / turns; }

  template <int kTiles>
  void Block(int64_t first, int64_t rows) {
    const uint8_t* a = r_.a + first * r_.a_step;
    Pair<kTiles, 0>(a);
    if constexpr (kPairs > 1) Pair<kTiles, 1>(a);
    first_ = first;
    rows_ = rows;
    done_ = 0;
  }

  // Two registers of columns, or the last one. With the first ones the block before is finished,
  // which leaves `sums_` to this one.
  template <int kTiles, int kPair>
  [[gnu::always_inline]] void Pair(const uint8_t* a) {
    constexpr bool kHasTwo = 2 * kPair + 1 < kRegisters;
    constexpr int64_t kWeightStep = kRegisters * kTileBytes;
    constexpr int64_t kColumn = 2 * kPair * kProductLanes;
    Zero<0>();
    if constexpr (kHasTwo) Zero<1>();
    if constexpr (kTiles > 1) Zero<2>();
    if constexpr (kTiles > 1 && kHasTwo) Zero<3>();
    const uint8_t* b = p_.weights + kColumn * kProductGroup;
    for (int64_t part = 0; part < r_.parts; ++part) {
      const uint8_t* left = a + (r_.part_offsets == nullptr ? 0 : r_.part_offsets[part]);
      for (int64_t i = 0; i < steps_; ++i) {
        Stream<6>(b, kWeightStep);
        if constexpr (kHasTwo) Stream<7>(b + kTileBytes, kWeightStep);
        Load<4>(left, r_.a_step);
        Add<0, 4, 6>();
        if constexpr (kHasTwo) Add<1, 4, 7>();
        if constexpr (kTiles > 1) {
          Load<5>(left + kTileRows * r_.a_step, r_.a_step);
          Add<2, 5, 6>();
          if constexpr (kHasTwo) Add<3, 5, 7>();
        }
        left += p_.step;
        b += p_.step / kProductGroup * kWeightStep;
        fetcher_.Turn();
        if (kPair == 0 && rows_ - done_ >= turn_) FinishMore(turn_);
      }
    }
    if (kPair == 0) FinishMore(rows_ - done_);
    int32_t* const sums = sums_ + kColumn;
    Store<0>(sums, kStep);
    if constexpr (kHasTwo) Store<1>(sums + kProductLanes, kStep);
    if constexpr (kTiles > 1) Store<2>(sums + kTileRows * kStep, kStep);
    if constexpr (kTiles > 1 && kHasTwo) Store<3>(sums + kTileRows * kStep + kProductLanes, kStep);
  }

  // So many more of the block before.
  [[gnu::always_inline]] void FinishMore(int64_t count) {
    if (count > 0) finish_(r_, p_, f_, sums_ + done_ * kStep, first_ + done_, count);
    done_ += count;
  }

  const ProductRows& r_;
  const ProductPanel& p_;
  const ProductFinish& f_;
  const FinishRows finish_;
  const int64_t steps_;  // of a part
  const int64_t turn_;   // rows to finish at each step
  Fetcher fetcher_;

  // The block before: its first row, its rows, and how many of them are finished.
  int64_t first_ = 0;
  int64_t rows_ = 0;
  int64_t done_ = 0;
  alignas(64) int32_t sums_[kBlockRows * kStep];
};

template <ProductOutput kOutput, ProductAddend kAddend>
void Run(const ProductRows& r, const ProductPanel& p, const ProductFinish& f) {
  switch ((p.columns + kProductLanes - 1) / kProductLanes) {
    case 1:
      return Panel<1>(r, p, f, Finish<kOutput, kAddend, 1>).Run();
    case 2:
      return Panel<2>(r, p, f, Finish<kOutput, kAddend, 2>).Run();
    case 3:
      return Panel<3>(r, p, f, Finish<kOutput, kAddend, 3>).Run();
    default:
      return Panel<4>(r, p, f, Finish<kOutput, kAddend, 4>).Run();
  }
}

}  // namespace

#define INTMILL_ADDENDS(output)                                          \
  {                                                                      \
    Run<output, ProductAddend::kNone>, Run<output, ProductAddend::kF32>, \
        Run<output, ProductAddend::kBytes>                               \
  }
extern const ProductLoops kProductLoops;
const ProductLoops kProductLoops = {
    {INTMILL_ADDENDS(ProductOutput::kBytes), INTMILL_ADDENDS(ProductOutput::kF32),
     INTMILL_ADDENDS(ProductOutput::kEntries)},
    Run<ProductOutput::kPlainBytes, ProductAddend::kNone>,
};

}  // namespace intmill::native::INTMILL_LEVEL
