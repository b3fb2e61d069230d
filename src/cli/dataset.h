// Dataset: samples of one type and shape in a file or a folder, read one at a time.
#ifndef INTMILL_CLI_DATASET_H
#define INTMILL_CLI_DATASET_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/array.h"

namespace intmill::cli {

enum class Layout { kUnknown, kNchw, kNhwc };

class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual const std::string& name() const = 0;  // for messages: where the samples come from
  virtual const ArrayType& sample() const = 0;  // of one sample
  virtual int64_t count() const = 0;
  virtual Layout layout() const { return Layout::kUnknown; }
  // Writes sample `index` to `out`, which has room for ByteCount(sample()).
  virtual void Read(int64_t index, std::byte* out) const = 0;
};

using DatasetPtr = std::unique_ptr<const Dataset>;

// The kinds, each in its own file. First dimension of an array = samples.
DatasetPtr OpenNpy(const std::string& path);
// `array` names one of the arrays; "" or a name that is missing takes the only one there is.
DatasetPtr OpenNpz(const std::string& path, const std::string& array);
DatasetPtr OpenIdx(const std::string& path);
// JPEG and PNG in file-name order, as u8 RGB height x width x 3. size 0: as they are, all alike;
// otherwise the short side is brought to `size` and the centre cropped, size x size.
DatasetPtr OpenPictures(const std::string& folder, int64_t size);

// Tells the kind by the file itself, or by the folder.
DatasetPtr OpenDataset(const std::string& path, const std::string& array, int64_t picture_size);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_DATASET_H
