// The front door for model files: sniffs the kind, reads it, and cleans it up.
#ifndef INTMILL_IMPORT_LOAD_H
#define INTMILL_IMPORT_LOAD_H

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/status.h"
#include "ir/compiled.h"
#include "ir/graph.h"
#include "passes/pipeline.h"

namespace intmill {

enum class FileKind { kAuto, kOnnx, kIntmill };

struct LoadOptions {
  FileKind kind = FileKind::kAuto;
  std::map<std::string, int64_t> dims;  // fixes symbolic dimensions by name: {"batch": 8}
  PassOptions passes;
};

// What a file holds: a model, and in an .ims file what a session of it was compiled to.
struct Loaded {
  Graph graph;
  std::shared_ptr<const CompiledSession> compiled;  // null: nothing
  // Where something is compiled: to be called before anything reads the constants in
  // compiled->unread, whose checksums were left out.
  std::function<Status()> check_weights;
};

// The graph's constants may point into the mapped file, which stays alive as long as they do.
Result<Loaded> LoadFile(const std::string& path, const LoadOptions& options);
// External data is refused: memory has no directory.
Result<Loaded> LoadFromMemory(BlobPtr bytes, const LoadOptions& options);

// The model alone, with all its weights checked.
Result<Graph> LoadModel(const std::string& path, const LoadOptions& options);
Result<Graph> LoadModelFromMemory(BlobPtr bytes, const LoadOptions& options);

}  // namespace intmill

#endif  // INTMILL_IMPORT_LOAD_H
