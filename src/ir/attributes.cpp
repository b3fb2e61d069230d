// Typed reading of attributes.
#include "ir/attributes.h"

namespace intmill {
namespace {

// In the order of the alternatives of Attribute.
constexpr const char* kTypeNames[] = {"an integer", "a float", "a string", "integers",
                                      "floats",     "strings", "a tensor"};
static_assert(std::size(kTypeNames) == std::variant_size_v<Attribute>);

template <typename T>
Result<T> Get(const Attribute* attribute, std::string_view name, T fallback) {
  if (attribute == nullptr) return fallback;
  if (const T* value = std::get_if<T>(attribute)) return *value;
  return Error(Code::kBadFormat, "attribute '", name, "' is ", kTypeNames[attribute->index()],
               ", wanted ", kTypeNames[Attribute(std::in_place_type<T>).index()]);
}

}  // namespace

const Attribute* Attributes::Find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void Attributes::Remove(std::string_view name) {
  const auto found = values_.find(name);
  if (found != values_.end()) values_.erase(found);
}

Result<int64_t> Attributes::Int(std::string_view name, int64_t fallback) const {
  return Get(Find(name), name, fallback);
}

Result<float> Attributes::Float(std::string_view name, float fallback) const {
  return Get(Find(name), name, fallback);
}

Result<std::string> Attributes::String(std::string_view name, std::string fallback) const {
  return Get(Find(name), name, std::move(fallback));
}

Result<std::vector<int64_t>> Attributes::Ints(std::string_view name,
                                              std::vector<int64_t> fallback) const {
  return Get(Find(name), name, std::move(fallback));
}

Result<std::vector<float>> Attributes::Floats(std::string_view name,
                                              std::vector<float> fallback) const {
  return Get(Find(name), name, std::move(fallback));
}

}  // namespace intmill
