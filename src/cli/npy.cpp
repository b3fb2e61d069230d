// The .npy format: one array, a short text header and the elements.
// Layout: "\x93NUMPY", version (2 bytes), header length (u16, from version 2 on u32), a Python
// dictionary with descr, fortran_order and shape, then the elements.
#include "cli/npy.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "cli/error.h"

namespace intmill::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kLongestHeader = 65536;
constexpr size_t kHighestRank = 12;

struct TypeCode {
  std::string_view descr;
  intmill_dtype dtype;
};
constexpr TypeCode kTypeCodes[] = {{"<f4", INTMILL_F32}, {"<f2", INTMILL_F16}, {"|i1", INTMILL_S8},
                                   {"|u1", INTMILL_U8},  {"<i4", INTMILL_S32}, {"<i8", INTMILL_S64},
                                   {"<i2", INTMILL_S16}, {"|b1", INTMILL_BOOL}};

// Reads the few forms of Python literals that a header may hold.
class HeaderScanner {
 public:
  HeaderScanner(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  bool Take(char wanted) {
    SkipSpace();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  void Expect(char wanted) {
    if (!Take(wanted)) Fail();
  }
  std::string_view String() {
    SkipSpace();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) Fail();
    const char quote = text_.front();
    const size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) Fail();
    const std::string_view content = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return content;
  }
  bool Boolean() {
    SkipSpace();
    const bool value = text_.starts_with("True");
    if (!value && !text_.starts_with("False")) Fail();
    text_.remove_prefix(value ? 4 : 5);
    return value;
  }
  Dims Tuple() {
    Dims dims;
    Expect('(');
    while (!Take(')')) {
      dims.push_back(Integer());
      if (dims.size() > kHighestRank) Fail();
      if (!Take(',')) {
        Expect(')');
        break;
      }
    }
    return dims;
  }
  [[noreturn]] void Fail() const { throw Failure(Cat(name_, ": damaged .npy header")); }

 private:
  void SkipSpace() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n'))
      text_.remove_prefix(1);
  }
  int64_t Integer() {
    SkipSpace();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) Fail();
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    Take('L');  // Python 2 wrote long integers so
    return value;
  }

  std::string_view text_;
  const std::string& name_;
};

intmill_dtype TypeOf(std::string_view descr, const std::string& name) {
  for (const TypeCode& code : kTypeCodes) {
    if (descr == code.descr) return code.dtype;
  }
  throw Failure(
      Cat(name, ": element type '", descr,
          "' is not taken, wanted float32, float16, int8, uint8, int16, int32, int64 or bool; "
          "convert with x.astype('float32')"));
}

ArrayType ParseDictionary(std::string_view text, const std::string& name) {
  HeaderScanner scan(text, name);
  std::optional<intmill_dtype> dtype;
  std::optional<bool> is_fortran;
  std::optional<Dims> dims;
  scan.Expect('{');
  while (!scan.Take('}')) {
    const std::string_view key = scan.String();
    scan.Expect(':');
    if (key == "descr") {
      if (scan.Take('[')) throw Failure(Cat(name, ": arrays of records are not taken"));
      dtype = TypeOf(scan.String(), name);
    } else if (key == "fortran_order") {
      is_fortran = scan.Boolean();
    } else if (key == "shape") {
      dims = scan.Tuple();
    } else {
      scan.Fail();
    }
    if (!scan.Take(',')) {
      scan.Expect('}');
      break;
    }
  }
  if (!dtype || !is_fortran || !dims) scan.Fail();
  if (*is_fortran && dims->size() > 1)
    throw Failure(Cat(name, ": columns first; save numpy.ascontiguousarray(x)"));
  return {*dtype, *dims};
}

uint64_t LittleEndian(std::span<const std::byte> bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return value;
}

}  // namespace

NpyHeader ParseNpy(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < 12 || !text.starts_with(kMagic)) throw Failure(Cat(name, ": not a .npy file"));
  const int major = static_cast<unsigned char>(text[6]);
  if (major < 1 || major > 3) throw Failure(Cat(name, ": .npy version ", major, " is not known"));
  const size_t length_bytes = major == 1 ? 2 : 4;
  const size_t header_begin = 8 + length_bytes;
  const uint64_t header_length = LittleEndian(bytes.subspan(8, length_bytes));
  if (header_length > kLongestHeader || header_length > text.size() - header_begin)
    throw Failure(Cat(name, ": damaged .npy header"));

  NpyHeader header;
  header.type = ParseDictionary(text.substr(header_begin, header_length), name);
  header.data_offset = static_cast<int64_t>(header_begin + header_length);
  const int64_t wanted = ByteCount(header.type);
  const int64_t found = static_cast<int64_t>(text.size()) - header.data_offset;
  if (wanted < 0 || found < wanted)
    throw Failure(Cat(name, ": cut short: ", found, " bytes of elements, ", ArrayText(header.type),
                      " needs ", wanted < 0 ? "more than 2^46" : std::to_string(wanted)));
  return header;
}

std::string NpyPreamble(const ArrayType& type) {
  std::string_view descr;
  for (const TypeCode& code : kTypeCodes) {
    if (code.dtype == type.dtype) descr = code.descr;
  }
  if (descr.empty()) throw Failure(Cat(DTypeName(type.dtype), " cannot be written as .npy"));
  std::string dictionary = Cat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (");
  for (const int64_t dim : type.dims) dictionary += Cat(dim, ", ");
  dictionary += "), }";
  constexpr size_t kFixed = 10;  // magic, version, length
  const size_t padding = 63 - (kFixed + dictionary.size()) % 64;
  dictionary.append(padding, ' ');
  dictionary += '\n';

  std::string preamble(kMagic);
  preamble += '\x01';
  preamble += '\x00';
  preamble += static_cast<char>(dictionary.size() & 0xff);
  preamble += static_cast<char>(dictionary.size() >> 8);
  return preamble + dictionary;
}

}  // namespace intmill::cli
