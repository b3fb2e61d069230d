// Samples from a folder of JPEG and PNG pictures, in file-name order, decoded when asked for.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <vector>

#include "cli/dataset.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/picture.h"

namespace intmill::cli {
namespace {

constexpr int64_t kLongestSides = 100;  // long side / short side

bool HasPictureName(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<std::string> ListPictures(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (HasPictureName(entry.path())) files.push_back(entry.path().string());
  }
  if (error) throw Failure(Cat(folder, ": cannot be listed: ", error.message()));
  if (files.empty()) throw Failure(Cat(folder, ": no .jpg, .jpeg or .png files"));
  std::sort(files.begin(), files.end());
  return files;
}

Picture Decode(const std::string& path) {
  const MappedFile file(path);
  if (LooksLikeJpeg(file.bytes())) return DecodeJpeg(file.bytes(), path);
  if (LooksLikePng(file.bytes())) return DecodePng(file.bytes(), path);
  throw Failure(Cat(path, ": neither JPEG nor PNG"));
}

class PictureDataset : public Dataset {
 public:
  PictureDataset(const std::string& folder, int64_t size)
      : name_(folder), files_(ListPictures(folder)), size_(size) {
    const Picture first = Load(0);
    sample_ = {INTMILL_U8, {first.height, first.width, kChannels}};
  }

  const std::string& name() const override { return name_; }
  const ArrayType& sample() const override { return sample_; }
  int64_t count() const override { return static_cast<int64_t>(files_.size()); }
  Layout layout() const override { return Layout::kNhwc; }

  void Read(int64_t index, std::byte* out) const override {
    const Picture picture = Load(index);
    if (picture.height != sample_.dims[0] || picture.width != sample_.dims[1])
      throw Failure(Cat(files_[static_cast<size_t>(index)], ": ", picture.height, "x",
                        picture.width, ", the first picture is ", sample_.dims[0], "x",
                        sample_.dims[1], "; bring them to one size with --size"));
    std::memcpy(out, picture.pixels.data(), picture.pixels.size());
  }

 private:
  Picture Load(int64_t index) const {
    const std::string& path = files_[static_cast<size_t>(index)];
    Picture picture = Decode(path);
    if (size_ == 0) return picture;
    // Resized by its short side, a needle of a picture would grow without bounds.
    const auto [low, high] = std::minmax(picture.height, picture.width);
    if (high / low >= kLongestSides)
      throw Failure(Cat(path, ": ", picture.height, "x", picture.width, " cannot be cropped"));
    return ResizeAndCrop(std::move(picture), size_);
  }

  std::string name_;
  std::vector<std::string> files_;
  int64_t size_;
  ArrayType sample_;
};

}  // namespace

DatasetPtr OpenPictures(const std::string& folder, int64_t size) {
  return std::make_unique<PictureDataset>(folder, size);
}

}  // namespace intmill::cli
