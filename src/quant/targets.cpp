// Reading and checking targets.
#include "quant/targets.h"

namespace intmill {

Result<std::vector<int64_t>> ReadTargets(std::span<const Tensor> targets) {
  if (targets.size() > 1)
    return Error(Code::kInvalidArgument, "found ", targets.size(), " target tensors, wanted 1");
  if (targets.empty()) return std::vector<int64_t>();
  const DType dtype = targets[0].dtype();
  if (dtype != DType::kS32 && dtype != DType::kS64)
    return Error(Code::kShape, "targets are ", DTypeName(dtype), ", wanted s32 or s64");
  return ToInts(targets[0]);
}

Status CheckTargets(std::span<const int64_t> targets, int64_t rows, int64_t classes) {
  if (static_cast<int64_t>(targets.size()) != rows)
    return Error(Code::kShape, "found ", targets.size(), " targets for ", rows, " rows");
  for (const int64_t target : targets)
    if (target < 0 || target >= classes)
      return Error(Code::kInvalidArgument, "target ", target, " is not one of ", classes,
                   " classes");
  return Ok();
}

}  // namespace intmill
