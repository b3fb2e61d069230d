// Attributes of a node: a small sorted map from names to typed values.
#ifndef INTMILL_IR_ATTRIBUTES_H
#define INTMILL_IR_ATTRIBUTES_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "tensor/tensor.h"

namespace intmill {

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>,
                               std::vector<float>, std::vector<std::string>, Tensor>;

class Attributes {
 public:
  bool Has(std::string_view name) const { return values_.contains(name); }
  const Attribute* Find(std::string_view name) const;
  void Set(std::string name, Attribute value) { values_[std::move(name)] = std::move(value); }
  void Remove(std::string_view name);
  const std::map<std::string, Attribute, std::less<>>& all() const { return values_; }

  // The default when absent; an error that names the attribute when of another type.
  Result<int64_t> Int(std::string_view name, int64_t fallback) const;
  Result<float> Float(std::string_view name, float fallback) const;
  Result<std::string> String(std::string_view name, std::string fallback) const;
  Result<std::vector<int64_t>> Ints(std::string_view name, std::vector<int64_t> fallback) const;
  Result<std::vector<float>> Floats(std::string_view name, std::vector<float> fallback) const;

 private:
  std::map<std::string, Attribute, std::less<>> values_;
};

}  // namespace intmill

#endif  // INTMILL_IR_ATTRIBUTES_H
