// Opens each external file once, beneath the model's directory, and bounds every read.
#include "import/onnx/external.h"

#include "base/checked.h"
#include "import/onnx/limits.h"

namespace intmill::onnx {

Result<BlobPtr> ExternalFiles::Open(std::string_view location) {
  if (model_path_.empty()) {
    return Error(Code::kUnsupported, "external data in file '", location,
                 "': a model in memory has no directory to read it from");
  }
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  if (location.empty()) return Error(Code::kBadFormat, "external data without a location");
  if (location.find('\0') != std::string_view::npos)
    return Error(Code::kBadFormat, "external data in a file whose name holds a zero byte");
  if (static_cast<int64_t>(files_.size()) == kMaxExternalFiles)
    return Error(Code::kBadFormat, "external data in more than ", kMaxExternalFiles, " files");
  ASSIGN_OR_RETURN(BlobPtr file, MapFileBeneath(model_path_, std::string(location)));
  files_.emplace(location, file);
  return file;
}

Result<ExternalFiles::Bytes> ExternalFiles::Read(const ExternalPlace& place, int64_t wanted) {
  if (place.length >= 0 && place.length != wanted) {
    return Error(Code::kBadFormat, "external data of ", place.length, " bytes, its shape needs ",
                 wanted);
  }
  ASSIGN_OR_RETURN(BlobPtr file, Open(place.location));
  const int64_t size = static_cast<int64_t>(file->bytes().size());
  int64_t end = 0;
  if (place.offset < 0 || !AddFits(place.offset, wanted, &end) || end > size) {
    return Error(Code::kBadFormat, "external data of ", wanted, " bytes at offset ", place.offset,
                 " of '", place.location, "', which has ", size, " bytes");
  }
  const auto bytes =
      file->bytes().subspan(static_cast<size_t>(place.offset), static_cast<size_t>(wanted));
  return Bytes{std::move(file), bytes};
}

}  // namespace intmill::onnx
