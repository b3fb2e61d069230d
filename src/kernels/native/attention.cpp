// A task is a head: its keys and values are packed, then some dozens of queries at a time go from
// scores through bytes to values while all of that is in the nearest caches.
#include "kernels/native/attention.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/parallel.h"
#include "kernels/native/levels.h"
#include "kernels/native/round_up.h"

namespace intmill::native {
namespace {

constexpr int64_t kChunk = 6 * ProductRowsFor(4);  // queries that are worked on together
constexpr int64_t kLine = 64;       // bytes: how parts of the scratch memory are aligned
constexpr int64_t kRows = 4;        // of the loop of exact sums
constexpr int64_t kMaxRanges = 32;  // of heads, that run at the same time
// Sums of so many products of bytes differ by less than 2^31.
constexpr int64_t kDepthOfDifferences = 32768;
constexpr int64_t kMostOfRow = int64_t{1} << 24;  // weights together
constexpr float kMaxScale = 1e20f;                // with which they are finite numbers
constexpr std::array<int32_t, kProductColumns> kZeros = {};

// Pieces of a task's scratch memory.
struct Layout {
  int64_t keys = 0;     // packed: panels, or 16-bit rows
  int64_t start = 0;    // s32, one per padded key
  int64_t values = 0;   // packed: panels, or 16-bit columns
  int64_t scores = 0;   // s32 or f32: a chunk of queries by the keys, padded
  int64_t bytes = 0;    // u8: the same, high bytes and then low ones
  int64_t sums = 0;     // f32: one per query of a chunk
  int64_t result = 0;   // s32: a chunk of queries by the width, of high and of low bytes
  int64_t rows = 0;     // 16-bit rows of the left operand
  int64_t queries = 0;  // u8: of s8, a chunk of queries
  int64_t total = 0;
};

class ByteAttentionKernel : public Kernel {
 public:
  ByteAttentionKernel(const ByteAttention& a, Isa isa)
      : a_(InU8(a)),
        flips_(a.q_dtype == DType::kS8),
        loops_(LoopsFor(isa)),
        sums_(SumsOf(a, isa)),
        chunk_rows_(std::min(a.queries, kChunk)),
        padded_keys_(RoundUp(a.keys, kProductLanes)),
        layout_(LayOut()),
        most_(static_cast<float>(
            std::min<int64_t>(65535, kMostOfRow / std::max<int64_t>(1, a.keys)))),
        ranges_(std::clamp<int64_t>(a.batch * a.heads, 1, kMaxRanges)),
        has_differences_(a.scale > 0 && a.score_scale * a.scale < kMaxScale &&
                         a.depth <= kDepthOfDifferences),
        name_(Cat("native int8 attention:", loops_.level)) {}

  std::string_view name() const override { return name_; }
  int64_t scratch_bytes() const override { return ranges_ * layout_.total; }

  // A thread's piece of scratch memory is where it was in the run before: near that thread.
  Status Run(const RunArgs& args, KernelState*) const override {
    const int64_t heads = a_.batch * a_.heads;
    const int64_t shares = std::min(ranges_, CurrentThreads());
    std::array<int64_t, kMaxRanges> steps;
    for (int64_t i = 0; i < shares; ++i)
      steps[static_cast<size_t>(i)] = heads * (i + 1) / shares - heads * i / shares;
    ParallelShares({steps.data(), static_cast<size_t>(shares)}, [&](int64_t worker, int64_t share,
                                                                    int64_t first, int64_t end) {
      const int64_t head = heads * share / shares;
      for (int64_t i = head + first; i < head + end; ++i)
        RunHead(args, i / a_.heads, i % a_.heads, args.scratch + worker * layout_.total);
    });
    return Ok();
  }

 private:
  // s8 with zero point z and u8 with z + 128 are the same numbers.
  static ByteAttention InU8(ByteAttention a) {
    if (a.q_dtype == DType::kS8) a.q_zero_point += 128;
    return a;
  }

  // Words of keys are moved whole.
  static const ProductSums* SumsOf(const ByteAttention& a, Isa isa) {
    const bool fits =
        a.depth % kProductGroup == 0 && a.k_element == 1 && a.k.token % kProductGroup == 0;
    return fits ? ProductSumsFor(isa) : nullptr;
  }

  Layout LayOut() const {
    Layout l;
    int64_t end = 0;
    const auto add = [&](int64_t bytes) {
      const int64_t at = end;
      end += RoundUp(bytes, kLine);
      return at;
    };
    const int64_t element = sums_ != nullptr ? 1 : 2;
    l.keys = add(padded_keys_ * a_.depth * element);
    l.start = add(padded_keys_ * 4);
    l.values = add(padded_keys_ * RoundUp(a_.width, kProductLanes) * element);
    l.scores = add(chunk_rows_ * padded_keys_ * 4);
    l.bytes = add(2 * chunk_rows_ * padded_keys_);
    l.sums = add(chunk_rows_ * 4);
    l.result = add(2 * chunk_rows_ * a_.width * 4);
    l.rows = add(kRows * std::max(a_.depth, padded_keys_) * 2);
    if (a_.q_dtype == DType::kS8) l.queries = add(chunk_rows_ * a_.depth);
    l.total = end;
    return l;
  }

  template <typename T>
  static T* At(std::byte* scratch, int64_t offset) {
    return reinterpret_cast<T*>(scratch + offset);
  }

  static const uint8_t* Head(const void* data, const HeadStrides& s, int64_t batch, int64_t head) {
    return static_cast<const uint8_t*>(data) + batch * s.batch + head * s.head;
  }

  void RunHead(const RunArgs& args, int64_t batch, int64_t head, std::byte* scratch) const {
    Pack(Head(args.inputs[1], a_.k, batch, head), Head(args.inputs[2], a_.v, batch, head), scratch);
    const uint8_t* q = Head(args.inputs[0], a_.q, batch, head);
    const float* mask = a_.has_mask ? static_cast<const float*>(args.inputs[3]) +
                                          batch * a_.mask.batch + head * a_.mask.head
                                    : nullptr;
    const int64_t out = batch * a_.out.batch + head * a_.out.head;
    for (int64_t first = 0; first < a_.queries; first += chunk_rows_) {
      const int64_t rows = std::min(chunk_rows_, a_.queries - first);
      const ByteMatrix queries{q + first * a_.q.token, a_.q.token, rows, a_.depth};
      Score(flips_ ? Flipped(queries, scratch) : queries, scratch);
      const ScoreRows scores = {.sums = At<int32_t>(scratch, layout_.scores),
                                .step = padded_keys_,
                                .sum_scale = a_.score_scale,
                                .scale = a_.scale,
                                .mask = mask == nullptr ? nullptr : mask + first * a_.mask.token,
                                .mask_step = a_.mask.token,
                                .count = rows,
                                .keys = a_.keys,
                                .most = most_,
                                .by_difference = mask == nullptr && has_differences_};
      loops_.attention->exponentials(scores, At<uint8_t>(scratch, layout_.bytes),
                                     At<float>(scratch, layout_.sums));
      Weigh(rows, scratch);
      Write(args.outputs[0], out + first * a_.out.token, rows, scratch);
    }
  }

  void Pack(const uint8_t* k, const uint8_t* v, std::byte* scratch) const {
    if (sums_ != nullptr) {
      PackPanels({k, a_.k.token, a_.keys, a_.depth}, {v, a_.v.token, a_.keys, a_.width}, scratch);
      return;
    }
    auto* keys = At<int16_t>(scratch, layout_.keys);
    for (int64_t t = 0; t < a_.keys; ++t)
      for (int64_t i = 0; i < a_.depth; ++i)
        keys[t * a_.depth + i] = static_cast<int8_t>(k[t * a_.k.token + i * a_.k_element]);
    auto* values = At<int16_t>(scratch, layout_.values);
    for (int64_t i = 0; i < a_.width; ++i)
      for (int64_t t = 0; t < a_.keys; ++t)
        values[i * a_.keys + t] = static_cast<int8_t>(v[t * a_.v.token + i]);
  }

  // Keys are the columns of their product, values the rows.
  void PackPanels(const ByteMatrix& k, const ByteMatrix& v, std::byte* scratch) const {
    const ProductPacking& packing = *sums_->packing;
    auto* keys = At<uint8_t>(scratch, layout_.keys);
    auto* start = At<int32_t>(scratch, layout_.start);
    for (int64_t first = 0; first < k.rows; first += kProductColumns) {
      const int64_t columns = std::min(kProductColumns, k.rows - first);
      packing.transposed_panel(k, first, columns, keys);
      packing.start(keys, columns, k.columns, a_.q_zero_point, start + first);
      keys += RoundUp(columns, kProductLanes) * k.columns;
    }
    auto* zeros = At<uint8_t>(scratch, layout_.result);
    std::memset(zeros, 0, static_cast<size_t>(v.columns));
    auto* values = At<uint8_t>(scratch, layout_.values);
    for (int64_t first = 0; first < v.columns; first += kProductColumns) {
      const int64_t columns = std::min(kProductColumns, v.columns - first);
      packing.panel(v, first, columns, zeros, values);
      values += RoundUp(columns, kProductLanes) * RoundUp(v.rows, kProductGroup);
    }
  }

  // Panels of the right operand, one after the other. `start`: null for zeros.
  void Multiply(const ByteMatrix& a, const uint8_t* weights, const int32_t* start, int64_t columns,
                int32_t* out, int64_t out_step) const {
    ProductPanel panel = {.weights = weights,
                          .start = start == nullptr ? kZeros.data() : start,
                          .scales = nullptr,
                          .bias = nullptr,
                          .depth = RoundUp(a.columns, kProductGroup),
                          .columns = 0,
                          .step = 0,
                          .next = nullptr,
                          .next_bytes = 0};
    for (int64_t first = 0; first < columns; first += kProductColumns) {
      panel.columns = std::min(kProductColumns, columns - first);
      sums_->loop({a.data, a.step, a.rows, out + first, nullptr, out_step}, panel, {});
      panel.weights += RoundUp(panel.columns, kProductLanes) * panel.depth;
      if (start != nullptr) panel.start += kProductColumns;
    }
  }

  ByteMatrix Flipped(const ByteMatrix& q, std::byte* scratch) const {
    auto* to = At<uint8_t>(scratch, layout_.queries);
    for (int64_t i = 0; i < q.rows; ++i) {
      const uint8_t* from = q.data + i * q.step;
      int64_t k = 0;
      for (uint64_t eight = 0; k + 8 <= q.columns; k += 8) {
        std::memcpy(&eight, from + k, 8);
        eight ^= 0x8080808080808080u;
        std::memcpy(to + i * q.columns + k, &eight, 8);
      }
      for (; k < q.columns; ++k) to[i * q.columns + k] = from[k] ^ 0x80;
    }
    return {to, q.columns, q.rows, q.columns};
  }

  void Score(const ByteMatrix& q, std::byte* scratch) const {
    auto* scores = At<int32_t>(scratch, layout_.scores);
    if (sums_ != nullptr)
      Multiply(q, At<uint8_t>(scratch, layout_.keys), At<int32_t>(scratch, layout_.start), a_.keys,
               scores, padded_keys_);
    else
      ExactSums(q, a_.q_zero_point, At<int16_t>(scratch, layout_.keys), a_.keys, scratch, scores,
                padded_keys_);
  }

  // Bytes of weights by values.
  void Weigh(int64_t rows, std::byte* scratch) const {
    const ByteMatrix bytes = {At<uint8_t>(scratch, layout_.bytes), padded_keys_, 2 * rows, a_.keys};
    auto* result = At<int32_t>(scratch, layout_.result);
    if (sums_ != nullptr)
      Multiply(bytes, At<uint8_t>(scratch, layout_.values), nullptr, a_.width, result, a_.width);
    else
      ExactSums(bytes, 0, At<int16_t>(scratch, layout_.values), a_.width, scratch, result,
                a_.width);
  }

  // Any depth, on any instruction set.
  void ExactSums(const ByteMatrix& a, int32_t zero_point, const int16_t* b, int64_t columns,
                 std::byte* scratch, int32_t* out, int64_t out_step) const {
    auto* widened = At<int16_t>(scratch, layout_.rows);
    for (int64_t first = 0; first < a.rows; first += kRows) {
      const int64_t rows = std::min(kRows, a.rows - first);
      for (int64_t i = 0; i < rows; ++i)
        loops_.integer->widen(a.data + (first + i) * a.step, 0, zero_point, widened + i * a.columns,
                              a.columns);
      loops_.integer->dot_rows(widened, rows, b, columns, a.columns, out + first * out_step,
                               out_step);
    }
  }

  void Write(void* out, int64_t at, int64_t rows, std::byte* scratch) const {
    const auto* sums = At<float>(scratch, layout_.sums);
    const auto* result = At<int32_t>(scratch, layout_.result);
    const bool is_s8 = a_.out_dtype == DType::kS8;
    for (int64_t i = 0; i < rows; ++i, at += a_.out.token) {
      const float factor = a_.value_scale / sums[i];
      const int32_t* high = result + i * a_.width;
      const int32_t* low = high + rows * a_.width;
      if (a_.out_dtype == DType::kF32) {
        loops_.attention->sums_to_floats(high, low, factor, static_cast<float*>(out) + at,
                                         a_.width);
      } else {
        const auto zero_point = static_cast<float>(a_.out_zero_point + (is_s8 ? 128 : 0));
        loops_.attention->sums_to_bytes(high, low, factor, zero_point, is_s8 ? 0x80 : 0,
                                        static_cast<uint8_t*>(out) + at, a_.width);
      }
    }
  }

  const ByteAttention a_;
  const bool flips_;
  const Loops& loops_;
  const ProductSums* const sums_;
  const int64_t chunk_rows_;
  const int64_t padded_keys_;
  const Layout layout_;
  const float most_;
  const int64_t ranges_;
  const bool has_differences_;
  const std::string name_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeByteAttention(const ByteAttention& attention, Isa isa) {
  return MakeKernel<ByteAttentionKernel>(attention, isa);
}

}  // namespace intmill::native
