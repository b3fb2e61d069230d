// ONNX files to graphs.
#ifndef INTMILL_IMPORT_ONNX_ONNX_H
#define INTMILL_IMPORT_ONNX_ONNX_H

#include <string>

#include "base/file.h"
#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

// The graph as the file has it, in topological order and with every node upgraded to the newest
// form; no passes have run. `path` is where external data is looked for; empty for a model in
// memory, which may have none. Errors name the node and attribute, not the file.
Result<Graph> ReadOnnx(const BlobPtr& file, const std::string& path);

}  // namespace intmill

#endif  // INTMILL_IMPORT_ONNX_ONNX_H
