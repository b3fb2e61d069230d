// What separates a graph in memory from one that ONNX defines.
#ifndef INTMILL_EXPORT_STANDARD_FORM_H
#define INTMILL_EXPORT_STANDARD_FORM_H

#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

// The same graph in operators and attributes of ONNX's opset kOpset alone. kUnsupported names a
// node that has no such form; kInvalidArgument: a compiled graph.
Result<Graph> ToStandardForm(Graph graph);

}  // namespace intmill

#endif  // INTMILL_EXPORT_STANDARD_FORM_H
