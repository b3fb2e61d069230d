// Bringing weights into the layout that a primitive wants.
#include "kernels/onednn/packing.h"

#include <vector>

#include "base/parallel.h"
#include "kernels/packing_scope.h"

namespace intmill::onednn {
namespace {

using dnnl::memory;
using Table = std::vector<int64_t>;

constexpr int64_t kElementsPerTask = 1 << 15;
constexpr size_t kLongestRow = 1 << 14;

// The offset of each index of dimension d in a strided or blocked layout.
Table TableOf(const memory::desc& desc, size_t d) {
  const memory::dims blocks = desc.get_inner_blks();  // from the outermost to the innermost
  const memory::dims block_dims = desc.get_inner_idxs();
  Table table;
  for (int64_t i = 0; i < desc.get_dims()[d]; ++i) {
    int64_t offset = 0;
    int64_t rest = i;
    int64_t inner = 1;
    for (size_t b = blocks.size(); b-- > 0; inner *= blocks[b]) {
      if (block_dims[b] != static_cast<int64_t>(d)) continue;
      offset += rest % blocks[b] * inner;
      rest /= blocks[b];
    }
    table.push_back(offset + rest * desc.get_strides()[d]);
  }
  return table;
}

// Where the elements of a layout lie. Each dimension adds its share to an offset on its own, so
// tables say it all; those of the last dimensions are joined to one, of a row.
class Offsets {
 public:
  explicit Offsets(const memory::desc& desc) : base_(desc.get_submemory_offset()) {
    for (size_t d = desc.get_dims().size(); d-- > 0;) {
      Table table = TableOf(desc, d);
      const bool is_of_row = outer_.empty() && table.size() * row_.size() <= kLongestRow;
      if (!is_of_row) {
        outer_.insert(outer_.begin(), std::move(table));
        continue;
      }
      Table joined;
      for (const int64_t first : table)
        for (const int64_t second : row_) joined.push_back(first + second);
      row_ = std::move(joined);
    }
  }

  const Table& row() const { return row_; }
  int64_t rows() const {
    int64_t rows = 1;
    for (const Table& table : outer_) rows *= static_cast<int64_t>(table.size());
    return rows;
  }
  int64_t OfRow(int64_t row) const {
    auto rest = static_cast<size_t>(row);
    int64_t offset = base_;
    for (size_t d = outer_.size(); d-- > 0; rest /= outer_[d].size())
      offset += outer_[d][rest % outer_[d].size()];
    return offset;
  }

 private:
  int64_t base_;
  std::vector<Table> outer_;
  Table row_ = {0};
};

// Calls body(offset in a, offset in b) for every element of two layouts of the same dimensions.
template <typename Body>
void ForEachElement(const Offsets& a, const Offsets& b, Body&& body) {
  const size_t columns = a.row().size();
  const int64_t grain = kElementsPerTask / static_cast<int64_t>(columns) + 1;
  ParallelFor(a.rows(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t a_offset = a.OfRow(row);
      const int64_t b_offset = b.OfRow(row);
      for (size_t i = 0; i < columns; ++i) body(a_offset + a.row()[i], b_offset + b.row()[i]);
    }
  });
}

template <typename T>
void Move(const Offsets& from, const void* opaque_data, const Offsets& to, void* opaque_packed) {
  const T* const data = static_cast<const T*>(opaque_data);
  T* const packed = static_cast<T*>(opaque_packed);
  ForEachElement(from, to, [=](int64_t a, int64_t b) { packed[b] = data[a]; });
}

void Reorder(const memory::desc& from, const void* data, const memory::desc& to, void* packed) {
  memory source(from, Engine(), const_cast<void*>(data));
  memory target(to, Engine(), packed);
  dnnl::stream stream(Engine());
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
}

void Fill(const memory::desc& from, const void* data, const memory::desc& to, void* packed) {
  const size_t element_bytes = memory::data_type_size(to.get_data_type());
  size_t elements = 1;
  for (const int64_t dim : to.get_padded_dims()) elements *= static_cast<size_t>(dim);
  const bool has_sums = to.get_size() > elements * element_bytes;
  if (has_sums) Reorder(from, data, to, packed);
  if (element_bytes == 1) {
    Move<uint8_t>(Offsets(from), data, Offsets(to), packed);
  } else if (element_bytes == 2) {
    Move<uint16_t>(Offsets(from), data, Offsets(to), packed);
  } else {
    Move<uint32_t>(Offsets(from), data, Offsets(to), packed);
  }
}

}  // namespace

Result<SharedBytes> Pack(const memory::desc& from, const void* data, const memory::desc& to) {
  const auto bytes = static_cast<int64_t>(to.get_size());
  return PackOnce(bytes, [&](std::byte* packed) {
    Fill(from, data, to, packed);
    return Ok();
  });
}

}  // namespace intmill::onednn
