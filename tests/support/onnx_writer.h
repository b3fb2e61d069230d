// Writes ONNX files for tests, message by message, so that a test can also write a wrong one.
#ifndef INTMILL_TESTS_SUPPORT_ONNX_WRITER_H
#define INTMILL_TESTS_SUPPORT_ONNX_WRITER_H

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <protozero/pbf_writer.hpp>

#include "base/file.h"

namespace intmill::test {

// ONNX's numbers of element types.
enum OnnxType : int32_t {
  kOnnxFloat = 1,
  kOnnxUint8 = 2,
  kOnnxInt8 = 3,
  kOnnxInt16 = 5,
  kOnnxInt32 = 6,
  kOnnxInt64 = 7,
  kOnnxString = 8,
  kOnnxBool = 9,
  kOnnxFloat16 = 10,
  kOnnxDouble = 11,
  kOnnxInt4 = 22,
};

// Any message: `fill` gets a protozero::pbf_writer.
template <typename Fill>
std::string Message(Fill&& fill) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  fill(writer);
  return bytes;
}

template <typename T>
std::string RawBytes(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// TensorProto without data.
inline std::string TensorHead(const std::string& name, int32_t type,
                              const std::vector<int64_t>& dims) {
  return Message([&](auto& w) {
    for (const int64_t dim : dims) w.add_int64(1, dim);
    w.add_int32(2, type);
    w.add_string(8, name);
  });
}

inline std::string RawTensor(const std::string& name, int32_t type,
                             const std::vector<int64_t>& dims, const std::string& raw) {
  return TensorHead(name, type, dims) + Message([&](auto& w) { w.add_bytes(9, raw); });
}

inline std::string FloatTensor(const std::string& name, const std::vector<int64_t>& dims,
                               const std::vector<float>& values) {
  return RawTensor(name, kOnnxFloat, dims, RawBytes(values));
}

inline std::string Int64Tensor(const std::string& name, const std::vector<int64_t>& dims,
                               const std::vector<int64_t>& values) {
  return RawTensor(name, kOnnxInt64, dims, RawBytes(values));
}

// TensorProto whose values are in int32_data, packed.
inline std::string Int32DataTensor(const std::string& name, int32_t type,
                                   const std::vector<int64_t>& dims,
                                   const std::vector<int32_t>& values) {
  return TensorHead(name, type, dims) +
         Message([&](auto& w) { w.add_packed_int32(5, values.begin(), values.end()); });
}

inline std::string ExternalTensor(const std::string& name, int32_t type,
                                  const std::vector<int64_t>& dims,
                                  const std::vector<std::pair<std::string, std::string>>& place) {
  return TensorHead(name, type, dims) + Message([&](auto& w) {
           for (const auto& [key, value] : place) {
             w.add_message(13, Message([&key = key, &value = value](auto& entry) {
                             entry.add_string(1, key);
                             entry.add_string(2, value);
                           }));
           }
           w.add_int32(14, 1);
         });
}

inline std::string IntAttribute(const std::string& name, int64_t value) {
  return Message([&](auto& w) {
    w.add_string(1, name);
    w.add_int64(3, value);
    w.add_int32(20, 2);
  });
}

inline std::string FloatAttribute(const std::string& name, float value) {
  return Message([&](auto& w) {
    w.add_string(1, name);
    w.add_float(2, value);
    w.add_int32(20, 1);
  });
}

inline std::string StringAttribute(const std::string& name, const std::string& value) {
  return Message([&](auto& w) {
    w.add_string(1, name);
    w.add_string(4, value);
    w.add_int32(20, 3);
  });
}

inline std::string TensorAttribute(const std::string& name, const std::string& tensor) {
  return Message([&](auto& w) {
    w.add_string(1, name);
    w.add_message(5, tensor);
    w.add_int32(20, 4);
  });
}

inline std::string FloatsAttribute(const std::string& name, const std::vector<float>& values) {
  return Message([&](auto& w) {
    w.add_string(1, name);
    for (const float value : values) w.add_float(7, value);
    w.add_int32(20, 6);
  });
}

inline std::string IntsAttribute(const std::string& name, const std::vector<int64_t>& values) {
  return Message([&](auto& w) {
    w.add_string(1, name);
    for (const int64_t value : values) w.add_int64(8, value);
    w.add_int32(20, 7);
  });
}

inline std::string GraphAttribute(const std::string& name, const std::string& graph) {
  return Message([&](auto& w) {
    w.add_string(1, name);
    w.add_message(6, graph);
    w.add_int32(20, 5);
  });
}

struct NodeParts {
  std::string op;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> attributes = {};
  std::string name = {};
  std::string domain = {};
};

inline std::string NodeMessage(const NodeParts& node) {
  return Message([&](auto& w) {
    for (const std::string& input : node.inputs) w.add_string(1, input);
    for (const std::string& output : node.outputs) w.add_string(2, output);
    if (!node.name.empty()) w.add_string(3, node.name);
    w.add_string(4, node.op);
    for (const std::string& attribute : node.attributes) w.add_message(5, attribute);
    if (!node.domain.empty()) w.add_string(7, node.domain);
  });
}

// A dimension: a name when `name` is not empty, else a size; -2 writes an empty dimension.
struct Dim {
  int64_t size = 0;
  std::string name = {};
};

inline std::string ValueMessage(const std::string& name, int32_t type,
                                const std::vector<Dim>& dims) {
  const std::string shape = Message([&](auto& w) {
    for (const Dim& dim : dims) {
      w.add_message(1, Message([&](auto& d) {
                      if (!dim.name.empty()) {
                        d.add_string(2, dim.name);
                      } else if (dim.size != -2) {
                        d.add_int64(1, dim.size);
                      }
                    }));
    }
  });
  const std::string tensor_type = Message([&](auto& w) {
    w.add_int32(1, type);
    w.add_message(2, shape);
  });
  return Message([&](auto& w) {
    w.add_string(1, name);
    w.add_message(2, Message([&](auto& t) { t.add_message(1, tensor_type); }));
  });
}

struct ModelParts {
  int64_t ir_version = 8;
  int64_t opset = 17;
  std::vector<NodeParts> nodes = {};
  std::vector<std::string> initializers = {};
  std::vector<std::string> inputs = {};
  std::vector<std::string> outputs = {};
  std::vector<std::string> value_infos = {};
  std::vector<std::pair<std::string, std::string>> metadata = {};
};

inline std::string GraphMessage(const ModelParts& model) {
  return Message([&](auto& w) {
    for (const NodeParts& node : model.nodes) w.add_message(1, NodeMessage(node));
    w.add_string(2, "graph");
    for (const std::string& tensor : model.initializers) w.add_message(5, tensor);
    for (const std::string& value : model.inputs) w.add_message(11, value);
    for (const std::string& value : model.outputs) w.add_message(12, value);
    for (const std::string& value : model.value_infos) w.add_message(13, value);
  });
}

inline std::string OpsetMessage(const std::string& domain, int64_t version) {
  return Message([&](auto& w) {
    if (!domain.empty()) w.add_string(1, domain);
    w.add_int64(2, version);
  });
}

inline std::string ModelMessage(const ModelParts& model) {
  return Message([&](auto& w) {
    w.add_int64(1, model.ir_version);
    w.add_string(2, "intmill tests");
    w.add_message(7, GraphMessage(model));
    w.add_message(8, OpsetMessage("", model.opset));
    for (const auto& [key, value] : model.metadata) {
      w.add_message(14, Message([&key = key, &value = value](auto& entry) {
                      entry.add_string(1, key);
                      entry.add_string(2, value);
                    }));
    }
  });
}

// The bytes as a file that lives as long as the blob, 64-byte aligned plus `misalignment`.
inline BlobPtr BlobOf(const std::string& bytes, size_t misalignment = 0) {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  auto memory = std::make_shared<std::vector<Line>>((bytes.size() + misalignment) / 64 + 1);
  std::byte* const start = memory->data()->bytes + misalignment;
  if (!bytes.empty()) std::memcpy(start, bytes.data(), bytes.size());
  return std::make_shared<Blob>(std::span<const std::byte>(start, bytes.size()),
                                [memory]() mutable { memory.reset(); });
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_SUPPORT_ONNX_WRITER_H
