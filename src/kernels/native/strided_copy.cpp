// Moving elements between two arrangements of memory: the kernel behind Transpose, Slice, Concat,
// Split, Expand, Tile and DepthToSpace.
#include "kernels/native/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/native/levels.h"

namespace intmill::native {
namespace {

constexpr int64_t kGrainElements = 16384;
constexpr int64_t kTile = 32;  // a tile of the largest elements, read and written, fits in 16 KB

struct Dim {
  int64_t size = 1;
  int64_t in = 0;
  int64_t out = 0;
};

// A part made ready: dimensions from the slowest to the fastest in the output, neighbours joined.
struct Copy {
  int64_t input = 0;
  int64_t output = 0;
  int64_t input_offset = 0;
  int64_t output_offset = 0;
  std::vector<Dim> outer;
  Dim middle;  // the dimension along which the input is contiguous, when the row's is not
  Dim row;
  int64_t outer_count = 1;
  std::shared_ptr<const ByteTable> table;
  TransposeLoop transpose = nullptr;  // where rows of the input are columns of the output
};

std::vector<Dim> Joined(const CopyPart& part) {
  std::vector<Dim> dims;
  for (size_t i = 0; i < part.shape.size(); ++i)
    if (part.shape[i] != 1)
      dims.push_back({part.shape[i], part.input_strides[i], part.output_strides[i]});
  std::stable_sort(dims.begin(), dims.end(),
                   [](const Dim& a, const Dim& b) { return a.out > b.out; });
  std::vector<Dim> joined;
  for (const Dim& dim : dims) {
    if (!joined.empty() && joined.back().in == dim.in * dim.size &&
        joined.back().out == dim.out * dim.size) {
      joined.back() = {joined.back().size * dim.size, dim.in, dim.out};
    } else {
      joined.push_back(dim);
    }
  }
  return joined;
}

Copy Prepare(const CopyPart& part) {
  Copy copy{.input = part.input,
            .output = part.output,
            .input_offset = part.input_offset,
            .output_offset = part.output_offset,
            .table = part.table};
  std::vector<Dim> dims = Joined(part);
  if (!dims.empty()) {
    copy.row = dims.back();
    dims.pop_back();
  }
  const bool row_is_contiguous = copy.row.in == 1;
  const auto contiguous =
      std::find_if(dims.begin(), dims.end(), [](const Dim& d) { return d.in == 1; });
  if (!row_is_contiguous && contiguous != dims.end()) {
    copy.middle = *contiguous;
    dims.erase(contiguous);
  } else if (!dims.empty()) {
    copy.middle = dims.back();
    dims.pop_back();
  }
  copy.outer = std::move(dims);
  for (const Dim& dim : copy.outer) copy.outer_count *= dim.size;
  return copy;
}

TransposeLoop TransposeFor(const Copy& copy, int64_t element_bytes, const Loops& loops) {
  const bool is_transpose = copy.row.out == 1 && copy.row.in != 1 && copy.row.in != 0 &&
                            copy.middle.size > 1 && copy.middle.in == 1 && copy.table == nullptr;
  if (!is_transpose) return nullptr;
  if (element_bytes == 1) return loops.transpose_bytes;
  return element_bytes == 4 ? loops.transpose_words : nullptr;
}

template <typename T>
void CopyRow(const T* in, T* out, const Dim& row, int64_t count, const ByteTable* table) {
  if constexpr (sizeof(T) == 1) {
    if (table != nullptr) {
      for (int64_t i = 0; i < count; ++i) out[i * row.out] = (*table)[in[i * row.in]];
      return;
    }
  }
  if (row.in == 1 && row.out == 1) {
    std::memcpy(out, in, static_cast<size_t>(count) * sizeof(T));
  } else if (row.in == 0 && row.out == 1) {
    std::fill_n(out, count, *in);
  } else {
    for (int64_t i = 0; i < count; ++i) out[i * row.out] = in[i * row.in];
  }
}

// Rows [begin, end) of the middle dimension.
template <typename T>
void CopyRows(const T* in, T* out, const Copy& copy, int64_t begin, int64_t end) {
  if (copy.transpose != nullptr) {
    const MatrixShape matrix{.rows = copy.row.size,
                             .columns = end - begin,
                             .src_stride = copy.row.in,
                             .dst_stride = copy.middle.out};
    copy.transpose(in + begin, matrix, out + begin * copy.middle.out);
    return;
  }
  const bool hops = copy.row.in != 1 && copy.middle.in == 1;
  const int64_t step = hops ? kTile : copy.row.size;
  // Tiles, so that the lines of the input that a row touches are still there for the next row.
  for (int64_t first = 0; first < copy.row.size; first += step) {
    const int64_t count = std::min(step, copy.row.size - first);
    for (int64_t m = begin; m < end; ++m)
      CopyRow(in + m * copy.middle.in + first * copy.row.in,
              out + m * copy.middle.out + first * copy.row.out, copy.row, count, copy.table.get());
  }
}

// The offset of the outer block `index` on each side.
void OuterOffsets(const Copy& copy, int64_t index, int64_t* in, int64_t* out) {
  *in = copy.input_offset;
  *out = copy.output_offset;
  for (size_t d = copy.outer.size(); d-- > 0;) {
    const Dim& dim = copy.outer[d];
    *in += index % dim.size * dim.in;
    *out += index % dim.size * dim.out;
    index /= dim.size;
  }
}

// One row cut into pieces, when there is nothing else to share between threads.
template <typename T>
void CopyOneRow(const Copy& copy, const T* in, T* out) {
  ParallelFor(copy.row.size, kGrainElements, [&](int64_t begin, int64_t end) {
    CopyRow(in + copy.input_offset + begin * copy.row.in,
            out + copy.output_offset + begin * copy.row.out, copy.row, end - begin,
            copy.table.get());
  });
}

template <typename T>
void RunCopy(const Copy& copy, const void* input, void* output) {
  const T* in = static_cast<const T*>(input);
  T* out = static_cast<T*>(output);
  if (copy.outer_count == 1 && copy.middle.size == 1) return CopyOneRow(copy, in, out);
  const int64_t middle = copy.middle.size;
  const int64_t grain = std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, copy.row.size));
  ParallelFor(copy.outer_count * middle, grain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t first = begin % middle;
      const int64_t last = std::min(middle, first + end - begin);
      int64_t in_at = 0;
      int64_t out_at = 0;
      OuterOffsets(copy, begin / middle, &in_at, &out_at);
      CopyRows(in + in_at, out + out_at, copy, first, last);
      begin += last - first;
    }
  });
}

class StridedCopyKernel : public Kernel {
 public:
  StridedCopyKernel(int64_t element_bytes, const std::vector<CopyPart>& parts, const Loops& loops)
      : element_bytes_(element_bytes) {
    for (const CopyPart& part : parts) {
      if (std::find(part.shape.begin(), part.shape.end(), 0) != part.shape.end()) continue;
      copies_.push_back(Prepare(part));
      copies_.back().transpose = TransposeFor(copies_.back(), element_bytes, loops);
    }
  }

  std::string_view name() const override { return "native copy"; }

  Status Run(const RunArgs& args, KernelState*) const override {
    for (const Copy& copy : copies_) {
      const void* in = args.inputs[static_cast<size_t>(copy.input)];
      void* out = args.outputs[static_cast<size_t>(copy.output)];
      switch (element_bytes_) {
        case 1:
          RunCopy<uint8_t>(copy, in, out);
          break;
        case 2:
          RunCopy<uint16_t>(copy, in, out);
          break;
        case 4:
          RunCopy<uint32_t>(copy, in, out);
          break;
        default:
          RunCopy<uint64_t>(copy, in, out);
          break;
      }
    }
    return Ok();
  }

 private:
  const int64_t element_bytes_;
  std::vector<Copy> copies_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeStridedCopy(int64_t element_bytes, std::vector<CopyPart> parts,
                                                Isa isa) {
  if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4 && element_bytes != 8)
    return Error(Code::kUnsupported, "moving elements of ", element_bytes, " bytes");
  return MakeKernel<StridedCopyKernel>(element_bytes, parts, LoopsFor(isa));
}

}  // namespace intmill::native
