// Our own file, .im: a FlatBuffer for structure, and 64-byte aligned sections for weights.
#ifndef INTMILL_FORMAT_FORMAT_H
#define INTMILL_FORMAT_FORMAT_H

#include <cstddef>
#include <span>
#include <string>

#include "base/file.h"
#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

inline constexpr int kFormatVersion = 1;

bool LooksLikeIntmill(std::span<const std::byte> bytes);

// The structure is copied before it is verified; weights stay in `file`, which the graph's
// constants keep alive.
Result<Graph> ReadModel(BlobPtr file);

// Byte-identical for equal graphs. The file is replaced atomically.
Status WriteModel(const Graph& graph, const std::string& path);
Status WriteModel(const Graph& graph, const Sink& sink);

}  // namespace intmill

#endif  // INTMILL_FORMAT_FORMAT_H
