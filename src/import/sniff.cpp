// Tells our files and ONNX from the others that people have at hand, and names those.
#include "import/sniff.h"

#include <algorithm>
#include <string_view>

#include "format/format.h"

namespace intmill {
namespace {

struct Magic {
  size_t offset;
  std::string_view bytes;
  const char* name;
};
constexpr Magic kOthers[] = {
    {4, "TFL3", "a TFLite model"},
    {4, "ORTM", "an ONNX Runtime .ort file"},
    {0, "version https://git-lfs", "a Git LFS pointer, not the file it stands for"},
    {0, "PK\x03\x04", "a ZIP archive (a PyTorch or .npz file, or a packed model)"},
    {0, "\x89HDF", "an HDF5 file (Keras)"},
    {0, "GGUF", "a GGUF file"},
    {0, "\x93NUMPY", "a NumPy array"},
    {0, "\x1f\x8b", "a gzip file"},
    {0, "\x28\xb5\x2f\xfd", "a zstd file"},
    {0,
     "\x7f"
     "ELF",
     "an ELF program or library"},
    {8, "{\"", "a safetensors file"},
    {0, "{", "JSON or other text"},
    {0, "<", "XML or HTML"},
};

// ONNX has no magic number: the first byte must be the key of a field of ModelProto, which are 1 to
// 8, 14, 20, 25 and 26, with the wire type of an integer (fields 1 and 5) or of bytes.
bool LooksLikeOnnx(std::string_view text) {
  const unsigned key = static_cast<unsigned char>(text[0]);
  const unsigned field = key >> 3;
  const unsigned wire_type = key & 7;
  if (field == 1 || field == 5) return wire_type == 0;
  return wire_type == 2 && ((field >= 2 && field <= 8) || field == 14);
}

std::string FirstBytes(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : text.substr(0, 8)) {
    if (!out.empty()) out += ' ';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace

Result<FileKind> Sniff(std::span<const std::byte> bytes) {
  constexpr const char* kWanted = ", an ONNX or intmill model wanted";
  if (bytes.empty()) return Error(Code::kBadFormat, "the file is empty", kWanted);
  if (LooksLikeIntmill(bytes)) return FileKind::kIntmill;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Magic& other : kOthers) {
    if (text.size() >= other.offset && text.substr(other.offset).starts_with(other.bytes))
      return Error(Code::kBadFormat, "found ", other.name, kWanted);
  }
  if (LooksLikeOnnx(text)) return FileKind::kOnnx;
  return Error(Code::kBadFormat, "found a file that begins with ", FirstBytes(text), kWanted);
}

}  // namespace intmill
