// DigestOf: everything that decides what a graph computes, in the graph's order, by names.
#include "ir/digest.h"

#include "base/digest.h"
#include "ir/op.h"

namespace intmill {
namespace {

class GraphDigest {
 public:
  explicit GraphDigest(const Graph& graph) : graph_(graph) {}

  std::string Run() {
    AddIds(graph_.inputs);
    AddIds(graph_.outputs);
    for (const Value& value : graph_.values) {
      if (!value.constant) continue;
      digest_.AddText(value.name);
      AddTensor(*value.constant);
    }
    for (const Node& node : graph_.nodes) AddNode(node);
    return digest_.Hex();
  }

 private:
  void AddIds(const std::vector<ValueId>& ids) {
    digest_.AddNumber(static_cast<int64_t>(ids.size()));
    for (const ValueId id : ids) digest_.AddText(id == kNoValue ? "" : graph_.value(id).name);
  }

  void AddTensor(const Tensor& tensor) {
    digest_.AddNumber(static_cast<int64_t>(tensor.dtype()));
    AddList(tensor.shape());
    digest_.Add({tensor.data<std::byte>(), static_cast<size_t>(tensor.bytes())});
  }

  template <typename T>
  void AddList(const std::vector<T>& items) {
    digest_.AddNumber(static_cast<int64_t>(items.size()));
    if constexpr (std::is_same_v<T, std::string>) {
      for (const std::string& item : items) digest_.AddText(item);
    } else {
      digest_.Add(std::as_bytes(std::span(items)));
    }
  }

  void AddNode(const Node& node) {
    digest_.AddText(node.name);
    digest_.AddText(node.op->name);
    digest_.AddText(node.op->domain);
    AddIds(node.inputs);
    AddIds(node.outputs);
    for (const auto& [name, attribute] : node.attrs.all()) {
      digest_.AddText(name);
      digest_.AddNumber(static_cast<int64_t>(attribute.index()));
      std::visit([&](const auto& value) { AddValue(value); }, attribute);
    }
  }

  void AddValue(int64_t value) { digest_.AddNumber(value); }
  void AddValue(float value) { digest_.Add(std::as_bytes(std::span(&value, 1))); }
  void AddValue(const std::string& value) { digest_.AddText(value); }
  void AddValue(const Tensor& value) { AddTensor(value); }
  template <typename T>
  void AddValue(const std::vector<T>& value) {
    AddList(value);
  }

  const Graph& graph_;
  Digest digest_;
};

}  // namespace

std::string DigestOf(const Graph& graph) { return GraphDigest(graph).Run(); }

}  // namespace intmill
