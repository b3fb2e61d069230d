// Checks of the tensors that callers hand to a run.
#include "session/check_io.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace intmill {
namespace {

bool FitsPort(const Value& port, const Tensor& t) {
  if (!port.shape) return true;
  return std::ranges::equal(*port.shape, t.shape(), [](int64_t wanted, int64_t found) {
    return wanted == kDynamic || wanted == found;
  });
}

Status CheckFits(const char* side, const Value& port, const Tensor& t) {
  const auto refuse = [&](const std::string& found, const std::string& wanted) {
    return Error(Code::kShape, side, " '", port.name, "': found ", found, ", wanted ", wanted);
  };
  if (!t.valid()) return Error(Code::kInvalidArgument, side, " '", port.name, "' is missing");
  // Of an output the type may be unknown until a plan exists.
  if (port.dtype != DType::kNone && t.dtype() != port.dtype)
    return refuse(DTypeName(t.dtype()), DTypeName(port.dtype));
  if (!FitsPort(port, t)) return refuse(ToString(t.shape()), ToString(*port.shape));
  return Ok();
}

struct Extent {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  bool is_output = false;
  std::string_view name;
};

void Append(std::vector<Extent>& extents, const Value& port, const Tensor& t, bool is_output) {
  if (!t.valid() || t.bytes() == 0) return;
  const auto begin = reinterpret_cast<uintptr_t>(t.data<void>());
  extents.push_back({begin, begin + static_cast<uintptr_t>(t.bytes()), is_output, port.name});
}

}  // namespace

Status CheckInputFits(const Graph& graph, size_t i, const Tensor& t) {
  return CheckFits("input", graph.value(graph.inputs[i]), t);
}

Status CheckOutputFits(const Graph& graph, size_t i, const Tensor& t) {
  return CheckFits("output", graph.value(graph.outputs[i]), t);
}

Status CheckNamedDims(const Graph& graph, std::span<const Tensor> inputs) {
  std::map<std::string_view, std::pair<int64_t, std::string_view>> sizes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value& port = graph.value(graph.inputs[i]);
    const size_t named = std::min(port.dim_names.size(), inputs[i].shape().size());
    for (size_t d = 0; d < named; ++d) {
      if (port.dim_names[d].empty()) continue;
      const int64_t size = inputs[i].shape()[d];
      const auto [known, is_new] = sizes.try_emplace(port.dim_names[d], size, port.name);
      if (!is_new && known->second.first != size)
        return Error(Code::kShape, "dimension '", port.dim_names[d], "' is ", known->second.first,
                     " in input '", known->second.second, "' and ", size, " in input '", port.name,
                     "'");
    }
  }
  return Ok();
}

// Sorted by their beginnings, extents that overlap an output are neighbours of the one that
// reaches farthest so far; inputs may overlap each other.
Status CheckSeparate(const Graph& graph, std::span<const Tensor> inputs,
                     std::span<const Tensor> outputs) {
  std::vector<Extent> extents;
  for (size_t i = 0; i < inputs.size(); ++i)
    Append(extents, graph.value(graph.inputs[i]), inputs[i], false);
  for (size_t i = 0; i < outputs.size(); ++i)
    Append(extents, graph.value(graph.outputs[i]), outputs[i], true);
  std::ranges::sort(extents, {}, &Extent::begin);
  const Extent* farthest = nullptr;
  const Extent* farthest_output = nullptr;
  for (const Extent& extent : extents) {
    const Extent* before = extent.is_output ? farthest : farthest_output;
    if (before != nullptr && before->end > extent.begin)
      return Error(Code::kInvalidArgument, extent.is_output ? "output '" : "input '", extent.name,
                   "' shares memory with ", before->is_output ? "output '" : "input '",
                   before->name, "'");
    if (farthest == nullptr || extent.end > farthest->end) farthest = &extent;
    if (extent.is_output && (farthest_output == nullptr || extent.end > farthest_output->end))
      farthest_output = &extent;
  }
  return Ok();
}

}  // namespace intmill
