// Reads a model of either kind, fixes the dimensions that the caller asked for, and cleans it up.
#include "import/load.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/checksum.h"
#include "format/format.h"
#include "format/session_file.h"
#include "import/onnx/onnx.h"
#include "import/sniff.h"
#include "ir/infer.h"

namespace intmill {
namespace {

std::string HashHex(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  const uint64_t hash = ChecksumOf(bytes);
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4) hex += kDigits[(hash >> shift) & 15];
  return hex;
}

std::string_view FileName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// Every name that the graph's inputs know, for the message about one that they do not.
std::string DimNames(const Graph& graph) {
  std::set<std::string> names;
  for (const ValueId id : graph.inputs) {
    for (const std::string& name : graph.value(id).dim_names) {
      if (!name.empty()) names.insert(name);
    }
  }
  if (names.empty()) return "none";
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
  return list;
}

// `known` lists the names there were before any was fixed.
Status FixDim(Graph& graph, const std::string& name, int64_t size, const std::string& known) {
  if (size < 1 || size > kMaxDim) {
    return Error(Code::kInvalidArgument, "dimension '", name, "' fixed to ", size, ", 1 to ",
                 kMaxDim, " wanted");
  }
  bool is_found = false;
  for (const ValueId id : graph.inputs) {
    Value& value = graph.value(id);
    for (size_t i = 0; value.shape && i < value.dim_names.size() && i < value.shape->size(); ++i) {
      if (value.dim_names[i] != name) continue;
      (*value.shape)[i] = size;
      value.dim_names[i].clear();
      is_found = true;
    }
    Shape smallest = value.shape.value_or(Shape());
    std::replace(smallest.begin(), smallest.end(), kDynamic, int64_t{1});
    TRY(CheckShape(smallest, value.dtype).At(Cat("input '", value.name, "'")));
  }
  if (is_found) return Ok();
  return Error(Code::kInvalidArgument, "no input has a dimension '", name, "'; found: ", known);
}

Status FixDims(Graph& graph, const std::map<std::string, int64_t>& dims) {
  const std::string known = DimNames(graph);
  for (const auto& [name, size] : dims) TRY(FixDim(graph, name, size, known));
  return Ok();
}

// An attribute or shape that an operator refuses is the file's mistake, not the caller's.
Status InferFromFile(Graph& graph) {
  Status status = InferShapes(graph);
  if (status.code() != Code::kInvalidArgument) return status;
  return Error(Code::kBadFormat, status.message());
}

// A small file may not unfold to a large model: folding makes constants of about four times the
// file together (it takes four times the limit of one), and of a few megabytes in any case.
PassOptions BoundFolding(PassOptions options, int64_t file_bytes) {
  constexpr int64_t kAnyFile = int64_t{4} << 20;
  options.fold_limit_bytes = std::min(options.fold_limit_bytes, kAnyFile + file_bytes);
  return options;
}

Result<Graph> ReadOne(const BlobPtr& file, const std::string& path, const LoadOptions& options) {
  FileKind kind = options.kind;
  if (kind == FileKind::kAuto) {
    ASSIGN_OR_RETURN(kind, Sniff(file->bytes()));
  }
  if (kind == FileKind::kIntmill) {
    ASSIGN_OR_RETURN(Graph graph, ReadModel(file));
    TRY(FixDims(graph, options.dims));
    if (!options.dims.empty()) TRY(InferShapes(graph));
    return graph;
  }
  ASSIGN_OR_RETURN(Graph graph, ReadOnnx(file, path));
  TRY(FixDims(graph, options.dims));
  TRY(InferFromFile(graph));
  const auto file_bytes = static_cast<int64_t>(file->bytes().size());
  TRY(RunLoadPasses(graph, BoundFolding(options.passes, file_bytes)));
  if (!path.empty()) graph.metadata["source.file"] = FileName(path);
  graph.metadata["source.bytes"] = std::to_string(file_bytes);
  graph.metadata["source.xxh3"] = HashHex(file->bytes());
  return graph;
}

Result<Loaded> Read(const BlobPtr& file, const std::string& path, const LoadOptions& options) {
  Loaded loaded;
  if (options.kind == FileKind::kOnnx || !LooksLikeSession(file->bytes())) {
    ASSIGN_OR_RETURN(loaded.graph, ReadOne(file, path, options));
    return loaded;
  }
  ASSIGN_OR_RETURN(SessionFile session, ReadSession(file));
  TRY(FixDims(session.model, options.dims));
  if (!options.dims.empty()) TRY(InferShapes(session.model));
  return Loaded{.graph = std::move(session.model),
                .compiled = std::move(session.compiled),
                .check_weights = std::move(session.check_weights)};
}

Result<Graph> WholeModel(Result<Loaded> read) {
  ASSIGN_OR_RETURN(Loaded loaded, std::move(read));
  if (loaded.check_weights) TRY(loaded.check_weights());
  return std::move(loaded.graph);
}

}  // namespace

Result<Loaded> LoadFile(const std::string& path, const LoadOptions& options) {
  ASSIGN_OR_RETURN(const BlobPtr file, MapFile(path));
  return Read(file, path, options).At(path);
}

Result<Loaded> LoadFromMemory(BlobPtr bytes, const LoadOptions& options) {
  return Read(bytes, "", options).At("model in memory");
}

Result<Graph> LoadModel(const std::string& path, const LoadOptions& options) {
  return WholeModel(LoadFile(path, options));
}

Result<Graph> LoadModelFromMemory(BlobPtr bytes, const LoadOptions& options) {
  return WholeModel(LoadFromMemory(std::move(bytes), options));
}

}  // namespace intmill
