// Graphs to ONNX files.
#ifndef INTMILL_EXPORT_ONNX_H
#define INTMILL_EXPORT_ONNX_H

#include <string>

#include "base/file.h"
#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

// One self-contained file of kOpset with standard operators only: a quantized model is the Q/DQ
// graph that our own file stores. kUnsupported: a node without an ONNX form, which the message
// names, or more than the 2 GiB that protobuf allows (external data is not written).
// Byte-identical for equal graphs. The file is replaced atomically.
Status WriteOnnx(const Graph& graph, const std::string& path);
Status WriteOnnx(const Graph& graph, const Sink& sink);

}  // namespace intmill

#endif  // INTMILL_EXPORT_ONNX_H
