// Products of u8 and constant s8 with AVX-512 VNNI or AMX: panels of up to 64 columns, packed once,
// times blocks of rows (loops/product_x86.cpp, loops/product_tiles_x86.cpp). oneDNN is near its
// best for large depths and many columns; for the few channels of small convolutions this is two to
// three times as fast, and for pointwise convolutions with strides three times.
#include "kernels/native/product.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>

#include "base/parallel.h"
#include "kernels/native/product_finish.h"

namespace intmill::native {
namespace {

// Rows that are multiplied with one panel after the other stay in a cache of the second level. Many
// panels come from farther away, and the less often the better.
constexpr int64_t kChunkBytes = 128 * 1024;
constexpr int64_t kLargeChunkBytes = 640 * 1024;
constexpr int64_t kManyPanels = 6;
// Panels that are fetched ahead: fewer bytes together are near since the last run.
constexpr int64_t kBytesToFetch = 128 * 1024;
constexpr int64_t kChunkRows = 24;  // at least, where there are as many
// Rows of a thread that are worth fetching all weights for; fewer weights are near anyway.
constexpr int64_t kThreadRows = 48;
constexpr int64_t kFewWeights = 512 * 1024;
// Multiply-adds that are worth another thread, and those that threads do before they look for more;
// tiles do about so many times as many in the same time.
constexpr int64_t kGrain = 200'000;
constexpr int64_t kStep = 2'000'000;
constexpr int64_t kSpeedOfTiles = 4;
constexpr int64_t kPartRows = 24;  // at least

int64_t RowsOfChunk(const RowLayout& rows, int64_t columns) {
  const bool many_panels = columns >= kManyPanels * kProductColumns;
  return std::max(kChunkRows, (many_panels ? kLargeChunkBytes : kChunkBytes) / rows.step);
}

int64_t PartsOf(const RowLayout& rows) {
  return std::max<int64_t>(1, std::ssize(rows.part_offsets));
}

class ProductKernel : public Kernel {
 public:
  ProductKernel(std::unique_ptr<LeftRows> left, const MatMul& m, const Products& products,
                std::string_view name, PackedProduct packed)
      : left_(std::move(left)),
        layout_(left_->layout()),
        rows_(layout_.rows),
        columns_(m.columns()),
        depth_(m.depth()),
        out_bytes_(BitsOf(m.out_dtype) / 8),
        addend_input_(AddendOf(m.epilogue) == ProductAddend::kNone ? -1
                                                                   : m.epilogue.steps[0].input),
        addend_bytes_(AddendOf(m.epilogue) == ProductAddend::kF32 ? 4 : 1),
        bias_input_(m.bias_input),
        chunk_rows_(RowsOfChunk(layout_, columns_)),
        table_(m.epilogue.table),
        finish_(FinishOf(m, table_ ? table_->data() : nullptr)),
        name_(Cat(name, ":", products.level)),
        has_tiles_(products.has_tiles),
        speed_(has_tiles_ ? kSpeedOfTiles : 1),
        loop_(LoopOf(m, finish_, *products.loops)),
        packed_(std::move(packed)) {}

  std::string_view name() const override { return name_; }
  int64_t packed_bytes() const override { return packed_.bytes(); }
  bool packs_input(int64_t i) const override { return i == 1 || i == bias_input_; }

  std::span<const std::byte> first_read() const override { return packed_.Weights(0); }

  int64_t scratch_bytes() const override { return left_->scratch_bytes(); }

  Status Run(const RunArgs& args, KernelState*) const override {
    if (rows_ == 0) return Ok();
    const uint8_t* a = left_->Prepare(static_cast<const uint8_t*>(args.inputs[0]), args.scratch);
    const Division d = Divide();
    std::array<int64_t, kMaxShares> steps;
    for (int64_t i = 0; i < d.shares; ++i) steps[static_cast<size_t>(i)] = ShareOf(d, i).steps();
    ParallelShares({steps.data(), static_cast<size_t>(d.shares)},
                   [&](int64_t, int64_t share, int64_t first, int64_t end) {
                     const Share s = ShareOf(d, share);
                     for (int64_t step = first; step < end; ++step) RunStep(args, a, s, step);
                   });
    if (has_tiles_) NoteTiles(args, d.shares > 1);
    return Ok();
  }

 private:
  // How threads divide a product: by rows, which the steps before and behind give to the same
  // threads, as what another core wrote has to come from its cache; where that does not pay, by
  // columns.
  struct Division {
    bool by_rows = true;
    int64_t shares = 1;
  };

  // Rows and panels of a thread. One panel after the other is multiplied with a chunk of rows, and
  // with one part of the chunk after the other; then the next chunk.
  struct Share {
    int64_t first_row = 0;
    int64_t rows = 0;
    int64_t first_panel = 0;
    int64_t end_panel = 0;
    int64_t chunks = 1;
    int64_t parts = 1;
    int64_t panels() const { return end_panel - first_panel; }
    int64_t steps() const { return chunks * panels() * parts; }
  };

  Division Divide() const {
    const int64_t threads = std::min(CurrentThreads(), kMaxShares);
    if (threads == 1) return {};
    const bool by_rows = DividesRows(threads);
    const int64_t products = rows_ * columns_ * depth_;
    const int64_t most =
        std::min(by_rows ? Slices() : packed_.count(), products / (speed_ * kGrain));
    return {by_rows, std::clamp<int64_t>(most, 1, threads)};
  }

  int64_t BlockRows() const {
    if (has_tiles_) return kProductTileBlock;
    return ProductRowsFor((std::min(packed_.width(), columns_) + kProductLanes - 1) /
                          kProductLanes);
  }
  int64_t BlocksOf(int64_t rows) const { return (rows + BlockRows() - 1) / BlockRows(); }

  // What threads divide rows by: of tiles half a block, which takes little more than half the time.
  int64_t SliceRows() const { return has_tiles_ ? kProductTileBlock / 2 : BlockRows(); }
  int64_t Slices() const { return (rows_ + SliceRows() - 1) / SliceRows(); }
  int64_t RowsUpTo(int64_t share, int64_t shares) const {
    return std::min(rows_, Slices() * share / shares * SliceRows());
  }

  // Unless threads would wait for the one that has a slice more, or for weights.
  bool DividesRows(int64_t threads) const {
    const int64_t most = (Slices() + threads - 1) / threads;
    const bool is_even = most * threads * 10 <= Slices() * 11;
    return is_even && (rows_ >= kThreadRows * threads || columns_ * depth_ <= kFewWeights);
  }

  Share ShareOf(const Division& d, int64_t i) const {
    const int64_t panels = packed_.count();
    Share s{.rows = rows_, .end_panel = panels};
    if (d.by_rows) {
      s.first_row = RowsUpTo(i, d.shares);
      s.rows = RowsUpTo(i + 1, d.shares) - s.first_row;
    } else {
      s.first_panel = panels * i / d.shares;
      s.end_panel = panels * (i + 1) / d.shares;
    }
    s.chunks = std::clamp<int64_t>(s.rows / chunk_rows_, 1, std::max<int64_t>(1, BlocksOf(s.rows)));
    if (d.shares == 1) return s;
    const int64_t chunk_rows = s.rows / s.chunks;
    const int64_t products = chunk_rows * std::min(packed_.width(), columns_) * depth_;
    const int64_t most = std::min(chunk_rows / kPartRows, BlocksOf(s.rows) / s.chunks);
    s.parts = std::clamp<int64_t>(products / (speed_ * kStep), 1, std::max<int64_t>(1, most));
    return s;
  }

  static void NoteTiles(const RunArgs& args, bool in_parallel) {
    TileUse own;
    (args.tiles == nullptr ? own : *args.tiles).Note(in_parallel);
  }

  // The rows of the first `i` of n parts, each of whole blocks but the last.
  int64_t BlocksUpTo(int64_t i, int64_t n, int64_t rows) const {
    return std::min(rows, BlocksOf(rows) * i / n * BlockRows());
  }

  void RunStep(const RunArgs& args, const uint8_t* a, const Share& s, int64_t step) const {
    const int64_t part = step % s.parts;
    const int64_t panel = step / s.parts % s.panels();
    const int64_t chunk = step / s.parts / s.panels();
    const int64_t chunk_begin = BlocksUpTo(chunk, s.chunks, s.rows);
    const int64_t chunk_rows = BlocksUpTo(chunk + 1, s.chunks, s.rows) - chunk_begin;
    const int64_t from = s.first_row + chunk_begin + BlocksUpTo(part, s.parts, chunk_rows);
    const int64_t to = s.first_row + chunk_begin + BlocksUpTo(part + 1, s.parts, chunk_rows);
    const bool is_last = chunk + 1 == s.chunks && panel + 1 == s.panels();
    std::span<const std::byte> next;
    if (is_last)
      next = args.ahead;
    else if (has_tiles_ || packed_.bytes() >= kBytesToFetch)
      next = packed_.Weights(s.first_panel + (panel + 1) % s.panels());
    const size_t of_part = next.size() / static_cast<size_t>(s.parts);
    next = next.subspan(of_part * static_cast<size_t>(part),
                        part + 1 == s.parts ? std::dynamic_extent : of_part);
    RunOne(args, a + from * layout_.step, from, to - from, s.first_panel + panel, next);
  }

  // `next`: what is read after this panel.
  void RunOne(const RunArgs& args, const uint8_t* a, int64_t first, int64_t rows, int64_t panel,
              std::span<const std::byte> next) const {
    const bool in_order = layout_.out_rows.empty();
    const bool is_whole = layout_.part_offsets.empty();
    const int64_t at = (in_order ? first * columns_ : 0) + panel * packed_.width();
    ProductRows r{.a = a,
                  .a_step = layout_.step,
                  .rows = rows,
                  .out = static_cast<std::byte*>(args.outputs[0]) + at * out_bytes_,
                  .addend = nullptr,
                  .out_step = columns_,
                  .part_offsets = is_whole ? nullptr : layout_.part_offsets.data(),
                  .parts = PartsOf(layout_),
                  .out_rows = in_order ? nullptr : layout_.out_rows.data() + first};
    if (addend_input_ >= 0)
      r.addend = static_cast<const std::byte*>(args.inputs[static_cast<size_t>(addend_input_)]) +
                 at * addend_bytes_;
    ProductPanel p = packed_.Panel(panel);
    if (!next.empty()) {
      p.next = reinterpret_cast<const uint8_t*>(next.data());
      p.next_bytes = std::ssize(next);
    }
    loop_(r, p, finish_);
  }

  const std::unique_ptr<LeftRows> left_;
  const RowLayout& layout_;
  const int64_t rows_;
  const int64_t columns_;
  const int64_t depth_;
  const int64_t out_bytes_;
  const int64_t addend_input_;  // -1: none
  const int64_t addend_bytes_;
  const int64_t bias_input_;
  const int64_t chunk_rows_;
  const std::optional<ByteTable> table_;
  const ProductFinish finish_;  // points at it
  const std::string name_;
  const bool has_tiles_;
  const int64_t speed_;
  const ProductLoop loop_;
  const PackedProduct packed_;
};

}  // namespace

const Products* ProductsThatFit(const MatMul& m, Isa isa, int64_t part_depth) {
  const Products* const products = ProductsFor(isa, part_depth);
  const bool fits = products != nullptr && (!m.epilogue.table || products->look_up) &&
                    m.weights != nullptr && m.a_dtype == DType::kU8 && m.b_dtype == DType::kS8 &&
                    m.weight_zero_points.empty() && FitsEpilogue(m.epilogue, m.out_dtype);
  return fits ? products : nullptr;
}

Result<std::unique_ptr<Kernel>> MakeProductOf(std::unique_ptr<LeftRows> left, const MatMul& m,
                                              const Products& products, std::string_view name,
                                              const WeightRows& weight_rows) {
  const RowLayout& layout = left->layout();
  const int64_t chunks = std::max<int64_t>(1, layout.rows / RowsOfChunk(layout, m.columns()));
  ASSIGN_OR_RETURN(PackedProduct packed,
                   PackedProduct::Pack(m, products, (layout.rows + chunks - 1) / chunks,
                                       m.depth() / PartsOf(layout), weight_rows));
  return MakeKernel<ProductKernel>(std::move(left), m, products, name, std::move(packed));
}

bool PrefersProduct(const MatMul& m, Isa isa) {
  return ProductsThatFit(m, isa, m.depth()) != nullptr && m.a_scale_input < 0 &&
         !m.a_is_transposed && m.depth() % kProductGroup == 0 &&
         NumElements(m.b) == m.columns() * m.depth() &&
         NumElements(m.a) == NumElements(m.out) / m.columns() * m.depth();
}

Result<std::unique_ptr<Kernel>> MakeProduct(const MatMul& m, Isa isa) {
  if (!PrefersProduct(m, isa))
    return Error(Code::kUnsupported, "a product of other than u8 and constant s8 matrices");
  return MakeProductOf(RowsOfMatMul(m), m, *ProductsFor(isa, m.depth()), "native int8 product", {});
}

}  // namespace intmill::native
