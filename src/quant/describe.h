// What a model consists of, for people: its layers, and the facts kept with it.
#ifndef INTMILL_QUANT_DESCRIBE_H
#define INTMILL_QUANT_DESCRIBE_H

#include <string_view>

#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"

namespace intmill {

// name, op, inputs, outputs, dtype, shape, parameters, bytes, scheme, note, saturating,
// saturating_pair
Table DescribeLayers(const Graph& graph);
// key, value
Table DescribeMetadata(const Graph& graph);

// Keys: 1 to 128 of a-z 0-9 . _ -, not beginning with "intmill."; values: up to 64 KiB of UTF-8.
// An empty value removes the key.
Status Annotate(Graph& graph, std::string_view key, std::string_view value);

}  // namespace intmill

#endif  // INTMILL_QUANT_DESCRIBE_H
