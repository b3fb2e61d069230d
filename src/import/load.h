// The front door for model files: sniffs the kind, reads it, and cleans it up.
#ifndef INTMILL_IMPORT_LOAD_H
#define INTMILL_IMPORT_LOAD_H

#include <map>
#include <string>

#include "base/file.h"
#include "base/status.h"
#include "ir/graph.h"
#include "passes/pipeline.h"

namespace intmill {

enum class FileKind { kAuto, kOnnx, kIntmill };

struct LoadOptions {
  FileKind kind = FileKind::kAuto;
  std::map<std::string, int64_t> dims;  // fixes symbolic dimensions by name: {"batch": 8}
  PassOptions passes;
};

// The graph's constants may point into the mapped file, which stays alive as long as they do.
Result<Graph> LoadModel(const std::string& path, const LoadOptions& options);
// External data is refused: memory has no directory.
Result<Graph> LoadModelFromMemory(BlobPtr bytes, const LoadOptions& options);

}  // namespace intmill

#endif  // INTMILL_IMPORT_LOAD_H
