// Taking strings and shapes from the pools of a structure.
#include "format/pools.h"

#include "format/limits.h"

namespace intmill::format {

Pools::Pools(const Model& model)
    : attributes("attributes", model.attributes()),
      tensors("tensors", model.tensors()),
      ids("ids", model.ids()),
      ints("integers", model.ints()),
      floats("floats", model.floats()),
      dims_("dimensions", model.dims()),
      string_bytes_("strings", model.string_bytes()),
      characters_("characters", model.characters()) {}

Result<std::string> Pools::String() {
  ASSIGN_OR_RETURN(const std::span<const uint32_t> bytes, string_bytes_.Take(1));
  ASSIGN_OR_RETURN(const std::span<const uint8_t> text, characters_.Take(bytes[0]));
  return std::string(text.begin(), text.end());
}

Result<std::string> Pools::Name(bool may_be_empty) {
  ASSIGN_OR_RETURN(std::string name, String());
  if (name.empty() && !may_be_empty) return Error(Code::kBadFormat, "a name is empty");
  if (static_cast<int64_t>(name.size()) > kMaxNameBytes) {
    return Error(Code::kBadFormat, "a name has ", name.size(), " bytes, at most ", kMaxNameBytes,
                 " wanted");
  }
  return name;
}

Result<std::vector<std::string>> Pools::Strings(int64_t count) {
  std::vector<std::string> strings;  // grows with what is there, not with what is claimed
  for (int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string text, String());
    strings.push_back(std::move(text));
  }
  return strings;
}

Result<Shape> Pools::Dims(int64_t rank, bool may_be_dynamic) {
  if (rank < 0 || rank > kMaxRank)
    return Error(Code::kBadFormat, "rank ", rank, ", 0 to ", kMaxRank, " wanted");
  ASSIGN_OR_RETURN(const std::span<const int64_t> dims, dims_.Take(rank));
  for (const int64_t dim : dims) {
    if (dim >= 0 || (may_be_dynamic && dim == kDynamic)) continue;
    return Error(Code::kBadFormat, "a dimension is ", dim);
  }
  return Shape(dims.begin(), dims.end());
}

Status Pools::CheckEmpty() const {
  TRY(attributes.CheckEmpty());
  TRY(tensors.CheckEmpty());
  TRY(ids.CheckEmpty());
  TRY(ints.CheckEmpty());
  TRY(floats.CheckEmpty());
  TRY(dims_.CheckEmpty());
  TRY(string_bytes_.CheckEmpty());
  return characters_.CheckEmpty();
}

}  // namespace intmill::format
