// The files beside an ONNX model that hold its larger tensors.
#ifndef INTMILL_IMPORT_ONNX_EXTERNAL_H
#define INTMILL_IMPORT_ONNX_EXTERNAL_H

#include <map>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/status.h"

namespace intmill::onnx {

// Where a tensor's bytes lie; -1 where the file does not say.
struct ExternalPlace {
  std::string_view location;
  int64_t offset = 0;
  int64_t length = -1;
};

class ExternalFiles {
 public:
  // `model_path` empty: the model is in memory, which has no directory, so everything is refused.
  explicit ExternalFiles(std::string model_path) : model_path_(std::move(model_path)) {}

  struct Bytes {
    BlobPtr file;
    std::span<const std::byte> bytes;
  };
  // Exactly `wanted` bytes at `place`.
  Result<Bytes> Read(const ExternalPlace& place, int64_t wanted);

 private:
  Result<BlobPtr> Open(std::string_view location);

  std::string model_path_;
  std::map<std::string, BlobPtr, std::less<>> files_;
};

}  // namespace intmill::onnx

#endif  // INTMILL_IMPORT_ONNX_EXTERNAL_H
