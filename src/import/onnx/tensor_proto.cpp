// Reads TensorProto in all of its ways to hold data: raw, in typed fields, or in another file.
#include "import/onnx/tensor_proto.h"

#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "import/onnx/wire.h"

namespace intmill::onnx {
namespace {

struct TensorProto {
  Shape dims;
  int64_t type = 0;
  bool is_external = false;
  ExternalPlace place;
  // At most one of these may hold anything.
  std::string_view raw;
  std::vector<float> floats;
  std::vector<int64_t> small_ints;  // int32_data, which holds every type of up to 32 bits
  std::vector<int64_t> longs;       // int64_data
  const char* other = nullptr;      // a field that only unsupported types use
};

struct TypeName {
  const char* name;
  DType dtype;
};
// By ONNX's numbers.
constexpr TypeName kTypes[] = {
    {"undefined", DType::kNone},
    {"float", DType::kF32},
    {"uint8", DType::kU8},
    {"int8", DType::kS8},
    {"uint16", DType::kNone},
    {"int16", DType::kS16},
    {"int32", DType::kS32},
    {"int64", DType::kS64},
    {"string", DType::kNone},
    {"bool", DType::kBool},
    {"float16", DType::kF16},
    {"double", DType::kNone},
    {"uint32", DType::kNone},
    {"uint64", DType::kNone},
    {"complex64", DType::kNone},
    {"complex128", DType::kNone},
    {"bfloat16", DType::kBf16},
    {"float8e4m3fn", DType::kNone},
    {"float8e4m3fnuz", DType::kNone},
    {"float8e5m2", DType::kNone},
    {"float8e5m2fnuz", DType::kNone},
    {"uint4", DType::kU4},
    {"int4", DType::kS4},
    {"float4e2m1", DType::kNone},
};

Result<int64_t> ParseNumber(std::string_view key, std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0)
    return Error(Code::kBadFormat, "external data: ", key, " is '", text, "', wanted a size");
  return number;
}

Status ReadExternalEntry(std::string_view message, ExternalPlace& place) {
  std::string_view key;
  std::string_view value;
  Fields fields(message, "external data");
  while (fields.Next()) {
    if (fields.tag() == 1) key = fields.Name();
    if (fields.tag() == 2) value = fields.Name();
  }
  TRY(fields.status());
  if (key == "location") place.location = value;
  if (key == "offset") {
    ASSIGN_OR_RETURN(place.offset, ParseNumber(key, value));
  }
  if (key == "length") {
    ASSIGN_OR_RETURN(place.length, ParseNumber(key, value));
  }
  return Ok();
}

Result<TensorProto> ParseTensor(std::string_view message) {
  TensorProto t;
  Fields fields(message, nullptr);
  while (fields.Next()) {
    switch (fields.tag()) {
      case 1:
        fields.AppendInts(t.dims);
        break;
      case 2:
        t.type = fields.Int();
        break;
      case 3:
        t.other = "segment";
        break;
      case 4:
        fields.AppendFloats(t.floats);
        break;
      case 5:
        fields.AppendInts(t.small_ints);
        break;
      case 6:
        t.other = "string_data";
        break;
      case 7:
        fields.AppendInts(t.longs);
        break;
      case 9:
        t.raw = fields.Bytes();
        break;
      case 10:
        t.other = "double_data";
        break;
      case 11:
        t.other = "uint64_data";
        break;
      case 13: {
        const std::string_view entry = fields.Bytes();
        if (fields.status().ok()) fields.Fail(ReadExternalEntry(entry, t.place));
        break;
      }
      case 14:
        t.is_external = fields.Int() == 1;
        break;
      default:
        break;
    }
    if (static_cast<int64_t>(t.dims.size()) > kMaxRank)
      return Error(Code::kBadFormat, "more than ", kMaxRank, " dimensions");
  }
  TRY(fields.status());
  return t;
}

// Bytes of `elements` values; 4-bit types are packed two to a byte.
int64_t BytesFor(DType dtype, int64_t elements) { return (elements * BitsOf(dtype) + 7) / 8; }

Status WrongSize(int64_t found, const TensorProto& t, DType dtype, const char* unit) {
  return Error(Code::kBadFormat, "data of ", found, " ", unit, ", shape ", ToString(t.dims), " of ",
               DTypeName(dtype), " needs ",
               std::strcmp(unit, "bytes") == 0 ? NumBytes(t.dims, dtype) : NumElements(t.dims));
}

bool IsAligned(const std::byte* data, DType dtype) {
  const auto alignment = static_cast<uintptr_t>(BitsOf(dtype) < 8 ? 1 : BitsOf(dtype) / 8);
  return reinterpret_cast<uintptr_t>(data) % alignment == 0;
}

// A bool that is neither 0 nor 1 has no meaning in C++, hence the copy that makes it 1.
Result<Tensor> CopyBytes(std::span<const std::byte> bytes, const Shape& shape, DType dtype) {
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Make(dtype, shape));
  std::byte* const to = tensor.mutable_data<std::byte>();
  if (dtype == DType::kBool) {
    for (size_t i = 0; i < bytes.size(); ++i) to[i] = std::byte{bytes[i] != std::byte{0}};
  } else if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return tensor;
}

Result<Tensor> FromBytes(std::span<const std::byte> bytes, const BlobPtr& owner,
                         const TensorProto& t, DType dtype) {
  if (static_cast<int64_t>(bytes.size()) != NumBytes(t.dims, dtype))
    return WrongSize(static_cast<int64_t>(bytes.size()), t, dtype, "bytes");
  if (bytes.empty() || dtype == DType::kBool || owner == nullptr || !IsAligned(bytes.data(), dtype))
    return CopyBytes(bytes, t.dims, dtype);
  return Tensor::View(dtype, t.dims, bytes.data(), owner);
}

Result<Tensor> FromFloats(const TensorProto& t, DType dtype) {
  if (dtype != DType::kF32)
    return Error(Code::kBadFormat, "float_data holds a tensor of ", DTypeName(dtype));
  const int64_t found = static_cast<int64_t>(t.floats.size());
  if (found != NumElements(t.dims)) return WrongSize(found, t, dtype, "values");
  return CopyBytes(std::as_bytes(std::span(t.floats)), t.dims, dtype);
}

Result<Tensor> FromLongs(const TensorProto& t, DType dtype) {
  if (dtype != DType::kS64)
    return Error(Code::kBadFormat, "int64_data holds a tensor of ", DTypeName(dtype));
  const int64_t found = static_cast<int64_t>(t.longs.size());
  if (found != NumElements(t.dims)) return WrongSize(found, t, dtype, "values");
  return CopyBytes(std::as_bytes(std::span(t.longs)), t.dims, dtype);
}

struct IntRange {
  int64_t min;
  int64_t max;
};
// What an element of int32_data may be: a value, or for floats and 4-bit pairs their bits.
IntRange RangeInInt32Data(DType dtype) {
  switch (dtype) {
    case DType::kF16:
    case DType::kBf16:
      return {0, 65535};
    case DType::kS4:
    case DType::kU4:
      return {-128, 255};
    case DType::kBool:
      return {0, 1};
    default:
      return {MinOf(dtype), MaxOf(dtype)};
  }
}

Result<Tensor> FromSmallInts(const TensorProto& t, DType dtype) {
  if (dtype == DType::kF32 || dtype == DType::kS64)
    return Error(Code::kBadFormat, "int32_data holds a tensor of ", DTypeName(dtype));
  const int64_t found = static_cast<int64_t>(t.small_ints.size());
  const bool is_packed = BitsOf(dtype) < 8;
  if (found != (is_packed ? NumBytes(t.dims, dtype) : NumElements(t.dims)))
    return WrongSize(found, t, dtype, is_packed ? "bytes" : "values");
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Make(dtype, t.dims));
  const IntRange range = RangeInInt32Data(dtype);
  const int64_t size = BytesFor(dtype, is_packed ? 2 : 1);
  std::byte* to = tensor.mutable_data<std::byte>();
  for (const int64_t value : t.small_ints) {
    if (value < range.min || value > range.max) {
      return Error(Code::kBadFormat, "int32_data holds ", value, ", a tensor of ", DTypeName(dtype),
                   " takes ", range.min, " to ", range.max);
    }
    std::memcpy(to, &value, static_cast<size_t>(size));  // little-endian: the low bytes come first
    to += size;
  }
  return tensor;
}

Status CheckFields(const TensorProto& t) {
  if (t.other != nullptr)
    return Error(Code::kUnsupported, "tensor data in field ", t.other, " is not supported");
  const int64_t used = int64_t{!t.raw.empty()} + int64_t{!t.floats.empty()} +
                       int64_t{!t.small_ints.empty()} + int64_t{!t.longs.empty()} +
                       int64_t{t.is_external};
  if (used > 1) return Error(Code::kBadFormat, "data in ", used, " fields, wanted one");
  return Ok();
}

}  // namespace

Result<DType> DTypeOf(int64_t onnx_type) {
  if (onnx_type <= 0 || onnx_type >= static_cast<int64_t>(std::size(kTypes)))
    return Error(Code::kBadFormat, "element type ", onnx_type, " does not exist");
  const TypeName& type = kTypes[onnx_type];
  if (type.dtype == DType::kNone)
    return Error(Code::kUnsupported, "element type ", type.name, " is not supported");
  return type.dtype;
}

Status CheckFileShape(const Shape& shape, DType dtype) {
  const Status status = CheckShape(shape, dtype);
  return status.ok() ? status : Error(Code::kBadFormat, status.message());
}

Result<std::string_view> ReadTensorName(std::string_view message) {
  std::string_view name;
  Fields fields(message, nullptr);
  while (fields.Next()) {
    if (fields.tag() == 8) name = fields.Name();
  }
  TRY(fields.status());
  return name;
}

Result<Tensor> ReadTensor(std::string_view message, const Source& source) {
  ASSIGN_OR_RETURN(const TensorProto t, ParseTensor(message));
  ASSIGN_OR_RETURN(const DType dtype, DTypeOf(t.type));
  TRY(CheckFields(t));
  TRY(CheckFileShape(t.dims, dtype));
  if (t.is_external) {
    if (source.external == nullptr)
      return Error(Code::kUnsupported, "external data is not supported here");
    ASSIGN_OR_RETURN(const auto found, source.external->Read(t.place, NumBytes(t.dims, dtype)));
    return FromBytes(found.bytes, found.file, t, dtype);
  }
  if (!t.floats.empty()) return FromFloats(t, dtype);
  if (!t.small_ints.empty()) return FromSmallInts(t, dtype);
  if (!t.longs.empty()) return FromLongs(t, dtype);
  return FromBytes(std::as_bytes(std::span(t.raw)), source.file, t, dtype);
}

}  // namespace intmill::onnx
