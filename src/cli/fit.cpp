// Fits the shape of a sample to the shape that a model wants.
#include "cli/fit.h"

namespace intmill::cli {
namespace {

bool IsChannelCount(int64_t dim) { return dim == 1 || dim == 3 || dim == 4; }

// Channels first is ONNX's convention; only a clear sign speaks for channels last.
Layout LayoutOfModel(const Dims& wanted) {
  const bool is_last = IsChannelCount(wanted[2]) && !IsChannelCount(wanted[0]);
  return is_last ? Layout::kNhwc : Layout::kNchw;
}

Dims Transposed(const Dims& dims, Layout from) {
  return from == Layout::kNhwc ? Dims{dims[2], dims[0], dims[1]} : Dims{dims[1], dims[2], dims[0]};
}

bool Matches(const Dims& found, const Dims& wanted) {
  if (found.size() != wanted.size()) return false;
  for (size_t i = 0; i < found.size(); ++i) {
    if (wanted[i] != -1 && wanted[i] != found[i]) return false;
  }
  return true;
}

std::optional<Dims> Reshaped(const Dims& found, const Dims& wanted) {
  if (Matches(found, wanted)) return found;
  const int64_t count = ElementCount(found);
  if (wanted.size() == 1 && (wanted[0] == -1 || wanted[0] == count)) return Dims{count};
  Dims left;  // without the ones
  for (const int64_t dim : found) {
    if (dim != 1) left.push_back(dim);
  }
  Dims dims;
  size_t next = 0;
  for (const int64_t dim : wanted) {
    const bool is_one = dim == 1 || (dim == -1 && next == left.size());
    if (!is_one && (next == left.size() || (dim != -1 && dim != left[next]))) return std::nullopt;
    dims.push_back(is_one ? 1 : left[next++]);
  }
  if (next != left.size()) return std::nullopt;
  return dims;
}

}  // namespace

std::optional<Fit> FitShape(const Dims& found, Layout layout, const Dims& wanted) {
  Fit fit;
  if (found.size() == 3 && wanted.size() == 3) {
    const bool as_it_is = Matches(found, wanted);
    if (layout == Layout::kUnknown && !as_it_is &&
        Matches(Transposed(found, Layout::kNhwc), wanted))
      layout = Layout::kNhwc;
    if (layout == Layout::kUnknown && !as_it_is &&
        Matches(Transposed(found, Layout::kNchw), wanted))
      layout = Layout::kNchw;
    const bool is_other = layout != Layout::kUnknown && layout != LayoutOfModel(wanted);
    const bool as_other = layout != Layout::kUnknown && Matches(Transposed(found, layout), wanted);
    fit.is_transposed = as_other && (!as_it_is || is_other);
    if (layout == Layout::kUnknown) layout = LayoutOfModel(wanted);
  }
  if (found.size() == 3) fit.layout = layout == Layout::kUnknown ? Layout::kNchw : layout;
  const auto dims = Reshaped(fit.is_transposed ? Transposed(found, layout) : found, wanted);
  if (!dims) return std::nullopt;
  fit.dims = *dims;
  return fit;
}

}  // namespace intmill::cli
