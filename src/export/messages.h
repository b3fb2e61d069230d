// The messages of an ONNX file as bytes; field numbers are those of onnx.proto.
#ifndef INTMILL_EXPORT_MESSAGES_H
#define INTMILL_EXPORT_MESSAGES_H

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "ir/graph.h"

namespace intmill::onnx {

// What protobuf's readers accept, and so the most that a file without external data may hold.
inline constexpr int64_t kMaxMessageBytes = INT32_MAX;
Status CheckMessageBytes(int64_t bytes);

// Tag and length of a field whose `bytes` bytes the caller puts behind them.
std::string FieldHead(uint32_t field, int64_t bytes);

// TensorProto up to where the tensor's own bytes follow, which are its last field's.
std::string TensorHead(std::string_view name, const Tensor& tensor);

// NodeProto. An input or output that is missing is an empty name; those at the end are left out.
Result<std::string> NodeMessage(const Graph& graph, const Node& node);

// ValueInfoProto, for an input or output of the graph.
Result<std::string> ValueMessage(const Value& value);

// OperatorSetIdProto of ai.onnx.
std::string OpsetMessage(int64_t opset);

// StringStringEntryProto.
std::string EntryMessage(std::string_view key, std::string_view value);

}  // namespace intmill::onnx

#endif  // INTMILL_EXPORT_MESSAGES_H
