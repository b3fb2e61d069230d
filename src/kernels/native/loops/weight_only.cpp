// Products of floats with weights in 4 or 8 bits: widened in registers for a few rows, through a
// small table of floats for many.
#include "kernels/native/loops/weight_only.h"

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif

namespace intmill::native::INTMILL_LEVEL {
namespace {

// A register of floats: lanes are columns.
#if defined(__AVX512F__)
struct Floats {
  static constexpr int64_t kLanes = 16;
  static constexpr int kRegisters = 4;  // of columns that are summed up together
  static constexpr int kFewRows = 4;
  static constexpr int kManyRows = 6;
  __m512 v;
  static Floats Zero() { return {_mm512_setzero_ps()}; }
  static Floats Fill(float x) { return {_mm512_set1_ps(x)}; }
  static Floats Load(const float* p) { return {_mm512_loadu_ps(p)}; }
  void Store(float* p) const { _mm512_storeu_ps(p, v); }
  static Floats MultiplyAdd(Floats a, Floats b, Floats c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  static Floats NegativeMultiplyAdd(Floats a, Floats b, Floats c) {
    return {_mm512_fnmadd_ps(a.v, b.v, c.v)};
  }
  Floats operator+(Floats b) const { return {_mm512_add_ps(v, b.v)}; }
  Floats operator-(Floats b) const { return {_mm512_sub_ps(v, b.v)}; }
  Floats operator*(Floats b) const { return {_mm512_mul_ps(v, b.v)}; }
  static Floats Bytes(const uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))};
  }
};
// Eight 4-bit numbers of each column. The permutation looks at the low four bits alone.
struct Nibbles {
  __m512i v;
  static Nibbles Load(const uint8_t* p) { return {_mm512_loadu_si512(p)}; }
  template <int k>
  Floats At() const {
    const __m512 table = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    return {_mm512_permutexvar_ps(k == 0 ? v : _mm512_srli_epi32(v, 4 * k), table)};
  }
};
#elif defined(__FMA__)
struct Floats {
  static constexpr int64_t kLanes = 8;
  static constexpr int kRegisters = 2;
  static constexpr int kFewRows = 4;
  static constexpr int kManyRows = 6;
  __m256 v;
  static Floats Zero() { return {_mm256_setzero_ps()}; }
  static Floats Fill(float x) { return {_mm256_set1_ps(x)}; }
  static Floats Load(const float* p) { return {_mm256_loadu_ps(p)}; }
  void Store(float* p) const { _mm256_storeu_ps(p, v); }
  static Floats MultiplyAdd(Floats a, Floats b, Floats c) {
    return {_mm256_fmadd_ps(a.v, b.v, c.v)};
  }
  static Floats NegativeMultiplyAdd(Floats a, Floats b, Floats c) {
    return {_mm256_fnmadd_ps(a.v, b.v, c.v)};
  }
  Floats operator+(Floats b) const { return {_mm256_add_ps(v, b.v)}; }
  Floats operator-(Floats b) const { return {_mm256_sub_ps(v, b.v)}; }
  Floats operator*(Floats b) const { return {_mm256_mul_ps(v, b.v)}; }
  static Floats Bytes(const uint8_t* p) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes))};
  }
};
struct Nibbles {
  __m256i v;
  static Nibbles Load(const uint8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  // Moved to the top of the word and back, which extends the sign of (n ^ 8) = n - 8.
  template <int k>
  Floats At() const {
    const __m256i top = _mm256_slli_epi32(v, 28 - 4 * k);
    const __m256i flipped = _mm256_xor_si256(top, _mm256_set1_epi32(static_cast<int>(0x80000000)));
    return {_mm256_cvtepi32_ps(_mm256_srai_epi32(flipped, 28))};
  }
};
#else
struct Floats {
  static constexpr int64_t kLanes = 1;
  static constexpr int kRegisters = 4;
  static constexpr int kFewRows = 1;
  static constexpr int kManyRows = 2;
  float v;
  static Floats Zero() { return {0}; }
  static Floats Fill(float x) { return {x}; }
  static Floats Load(const float* p) { return {*p}; }
  void Store(float* p) const { *p = v; }
  static Floats MultiplyAdd(Floats a, Floats b, Floats c) { return {a.v * b.v + c.v}; }
  static Floats NegativeMultiplyAdd(Floats a, Floats b, Floats c) { return {c.v - a.v * b.v}; }
  Floats operator+(Floats b) const { return {v + b.v}; }
  Floats operator-(Floats b) const { return {v - b.v}; }
  Floats operator*(Floats b) const { return {v * b.v}; }
  static Floats Bytes(const uint8_t* p) { return {static_cast<float>(static_cast<int8_t>(*p))}; }
};
struct Nibbles {
  uint32_t v;
  static Nibbles Load(const uint8_t* p) {
    return {p[0] | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24};
  }
  template <int k>
  Floats At() const {
    return {static_cast<float>(static_cast<int>(v >> (4 * k) & 0xf) - kWeightCenter)};
  }
};
#endif

constexpr int64_t kLanes = Floats::kLanes;
constexpr int kRegisters = Floats::kRegisters;
constexpr int64_t kWidth = kLanes * kRegisters;

// Weights of eight depths and one register of columns, beginning at depth k.
template <int kBits>
struct Eight;
template <>
struct Eight<4> {
  Nibbles nibbles;
  Eight(const WeightPanel& p, int64_t k, int64_t column)
      : nibbles(Nibbles::Load(p.weights + (k / 8 * kPanelColumns + column) * 4)) {}
  template <int i>
  Floats At() const {
    return nibbles.At<i>();
  }
};
template <>
struct Eight<8> {
  const uint8_t* from;
  Eight(const WeightPanel& p, int64_t k, int64_t column)
      : from(p.weights + k * kPanelColumns + column) {}
  template <int i>
  Floats At() const {
    return Floats::Bytes(from + i * kPanelColumns);
  }
};

// Of one row alone, elements of even and of odd depth are added up apart, so that the processor has
// enough sums to work at.
constexpr int ChainsOf(bool is_one_row) { return is_one_row ? 2 : 1; }

template <int kBits, int i, int kRows, int kChains>
[[gnu::always_inline]] inline void AddEight(const WeightPanel& p, int64_t k, int64_t column,
                                            const float* a, int64_t a_step,
                                            Floats (&sums)[kChains][kRows][kRegisters]) {
  Floats x[kRows];
#pragma GCC unroll 8
  for (int row = 0; row < kRows; ++row) x[row] = Floats::Fill(a[row * a_step + k + i]);
#pragma GCC unroll 8
  for (int c = 0; c < kRegisters; ++c) {
    const Floats w = Eight<kBits>(p, k, column + c * kLanes).template At<i>();
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row)
      sums[i % kChains][row][c] = Floats::MultiplyAdd(x[row], w, sums[i % kChains][row][c]);
  }
  if constexpr (i + 1 < 8) AddEight<kBits, i + 1>(p, k, column, a, a_step, sums);
}

// kRows rows by kRegisters registers of columns.
template <int kBits, int kRows, int kChains>
void FewBlock(const WeightRows& r, int64_t row, const WeightPanel& p, int64_t column) {
  Floats total[kRows][kRegisters];
  for (auto& each : total)
    for (Floats& t : each) t = Floats::Zero();
  const float* a = r.a + row * r.a_step;
  int64_t b = 0;
  for (int64_t begin = 0; begin < p.depth; begin += p.block, ++b) {
    const int64_t end = begin + p.block < p.depth ? begin + p.block : p.depth;
    Floats sums[kChains][kRows][kRegisters];
    for (auto& half : sums)
      for (auto& each : half)
        for (Floats& t : each) t = Floats::Zero();
    for (int64_t k = begin; k < end; k += kPanelStep)
      AddEight<kBits, 0>(p, k, column, a, r.a_step, sums);
#pragma GCC unroll 8
    for (int c = 0; c < kRegisters; ++c) {
      const int64_t at = b * kPanelColumns + column + c * kLanes;
      const Floats scale = Floats::Load(p.scales + at);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        Floats sum = sums[0][i][c];
        if constexpr (kChains == 2) sum = sum + sums[1][i][c];
        if (p.zero_points != nullptr)
          sum = Floats::NegativeMultiplyAdd(Floats::Load(p.zero_points + at),
                                            Floats::Fill(r.sums[(row + i) * r.sums_step + b]), sum);
        total[i][c] = Floats::MultiplyAdd(scale, sum, total[i][c]);
      }
    }
  }
  for (int i = 0; i < kRows; ++i)
    for (int c = 0; c < kRegisters; ++c)
      total[i][c].Store(r.out + (row + i) * kPanelColumns + column + c * kLanes);
}

template <int kBits>
void Few(const WeightRows& r, const WeightPanel& p) {
  for (int64_t column = 0; column < kPanelColumns; column += kWidth) {
    if (r.rows == 1) {
      FewBlock<kBits, 1, ChainsOf(true)>(r, 0, p, column);
      continue;
    }
    constexpr int kRows = Floats::kFewRows;
    int64_t row = 0;
    for (; row + kRows <= r.rows; row += kRows)
      FewBlock<kBits, kRows, ChainsOf(false)>(r, row, p, column);
    for (; row + 2 <= r.rows; row += 2) FewBlock<kBits, 2, ChainsOf(false)>(r, row, p, column);
    if (row < r.rows) FewBlock<kBits, 1, ChainsOf(false)>(r, row, p, column);
  }
}

template <int kBits, int i>
[[gnu::always_inline]] inline void WidenEight(const Eight<kBits>& eight, Floats scale,
                                              const Floats* zero_point, float* to) {
  Floats w = eight.template At<i>();
  if (zero_point != nullptr) w = w - *zero_point;
  (w * scale).Store(to + i * kPanelColumns);
  if constexpr (i + 1 < 8) WidenEight<kBits, i + 1>(eight, scale, zero_point, to);
}

// Real weights of depths [begin, end) as [depth][column].
template <int kBits>
void Widen(const WeightPanel& p, int64_t begin, int64_t end, float* to) {
  for (int64_t k = begin; k < end; k += kPanelStep) {
    for (int64_t column = 0; column < kPanelColumns; column += kLanes) {
      const int64_t at = k / p.block * kPanelColumns + column;
      const Floats scale = Floats::Load(p.scales + at);
      const Eight<kBits> eight(p, k, column);
      float* const here = to + (k - begin) * kPanelColumns + column;
      if (p.zero_points == nullptr) {
        WidenEight<kBits, 0>(eight, scale, nullptr, here);
      } else {
        const Floats zero_point = Floats::Load(p.zero_points + at);
        WidenEight<kBits, 0>(eight, scale, &zero_point, here);
      }
    }
  }
}

// Adds `depth` products to each of kRows rows by kRegisters registers of sums.
template <int kRows>
void AddChunk(const float* a, int64_t a_step, const float* w, int64_t depth, float* out) {
  Floats sums[kRows][kRegisters];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kRegisters; ++c)
      sums[i][c] = Floats::Load(out + i * kPanelColumns + c * kLanes);
  for (int64_t k = 0; k < depth; ++k) {
    Floats column[kRegisters];
#pragma GCC unroll 8
    for (int c = 0; c < kRegisters; ++c)
      column[c] = Floats::Load(w + k * kPanelColumns + c * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Floats x = Floats::Fill(a[i * a_step + k]);
#pragma GCC unroll 8
      for (int c = 0; c < kRegisters; ++c)
        sums[i][c] = Floats::MultiplyAdd(x, column[c], sums[i][c]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kRegisters; ++c) sums[i][c].Store(out + i * kPanelColumns + c * kLanes);
}

// The same for at most kRows rows.
template <int kRows>
void AddRows(int64_t rows, const float* a, int64_t a_step, const float* w, int64_t depth,
             float* out) {
  if (rows == kRows) return AddChunk<kRows>(a, a_step, w, depth, out);
  if constexpr (kRows > 1) AddRows<kRows - 1>(rows, a, a_step, w, depth, out);
}

// Rows in blocks that are as equal as they can be: few sums at once keep a processor waiting.
template <int kBits>
void Many(const WeightRows& r, const WeightPanel& p) {
  alignas(64) float real[kPanelChunk * kPanelColumns];
  for (int64_t i = 0; i < r.rows * kPanelColumns; ++i) r.out[i] = 0;
  const int64_t blocks = (r.rows + Floats::kManyRows - 1) / Floats::kManyRows;
  for (int64_t begin = 0; begin < p.depth; begin += kPanelChunk) {
    const int64_t end = begin + kPanelChunk < p.depth ? begin + kPanelChunk : p.depth;
    Widen<kBits>(p, begin, end, real);
    for (int64_t column = 0; column < kPanelColumns; column += kWidth) {
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t row = r.rows * block / blocks;
        AddRows<Floats::kManyRows>(r.rows * (block + 1) / blocks - row,
                                   r.a + row * r.a_step + begin, r.a_step, real + column,
                                   end - begin, r.out + row * kPanelColumns + column);
      }
    }
  }
}

}  // namespace

extern const WeightLoops kWeightLoops;
const WeightLoops kWeightLoops = {INTMILL_LEVEL_NAME, {Few<4>, Few<8>}, {Many<4>, Many<8>}};

}  // namespace intmill::native::INTMILL_LEVEL
