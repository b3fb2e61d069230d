// Samples from .npy files (mapped) and from the arrays in .npz files (mapped when stored).
#include <algorithm>
#include <vector>

#include "cli/data_array.h"
#include "cli/dataset.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/npy.h"
#include "cli/zip.h"

namespace intmill::cli {
namespace {

DatasetPtr FromNpyBytes(const std::string& name, std::span<const std::byte> bytes,
                        std::shared_ptr<const void> keeper, const MappedFile* file) {
  NpyHeader header = ParseNpy(bytes, name);
  const auto elements = bytes.subspan(static_cast<size_t>(header.data_offset));
  return std::make_unique<ArrayDataset>(name, std::move(header.type), elements, std::move(keeper),
                                        file);
}

const ZipMember& ChooseMember(const std::vector<ZipMember>& members, const std::string& path,
                              const std::string& array) {
  const auto named = std::find_if(members.begin(), members.end(), [&](const ZipMember& member) {
    return member.name == array + ".npy" || member.name == array;
  });
  if (named != members.end()) return *named;
  if (members.size() == 1) return members.front();
  std::string names;
  for (const ZipMember& member : members) {
    if (names.size() > 200) break;
    names += Cat(names.empty() ? "" : ", ", member.name);
  }
  throw Failure(Cat(path, ": no array named '", array, "' among: ", names));
}

}  // namespace

DatasetPtr OpenNpy(const std::string& path) {
  auto file = std::make_shared<const MappedFile>(path);
  const MappedFile* const mapped = file.get();
  return FromNpyBytes(path, mapped->bytes(), std::move(file), mapped);
}

DatasetPtr OpenNpz(const std::string& path, const std::string& array) {
  auto file = std::make_shared<const MappedFile>(path);
  const auto members = ListZip(file->bytes(), path);
  const ZipMember& member = ChooseMember(members, path, array);
  const std::string name = Cat(path, ":", member.name);
  const MappedFile* const mapped = file.get();
  if (!member.is_deflated) return FromNpyBytes(name, member.compressed, std::move(file), mapped);
  auto content = std::make_shared<const std::vector<std::byte>>(Inflate(member, path));
  const std::span<const std::byte> bytes(*content);
  return FromNpyBytes(name, bytes, std::move(content), nullptr);
}

}  // namespace intmill::cli
