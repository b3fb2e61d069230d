// Preprocessing: turns a sample as it lies in a file into what a model's input wants.
#include "cli/preprocess.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "cli/error.h"
#include "cli/fit.h"

namespace intmill::cli {
namespace {

double ParseNumber(std::string_view text, const std::string& option) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    throw UsageError(Cat(option, ": '", text, "' is not a number"));
  return value;
}

// The value of channel c in a list of one or as many as there are channels.
double Of(const std::vector<double>& values, size_t c) {
  return values.size() == 1 ? values[0] : values[c];
}

template <typename From, typename To>
void Cast(const std::byte* sample, int64_t count, std::byte* out) {
  const auto* const from = reinterpret_cast<const From*>(sample);
  auto* const to = reinterpret_cast<To*>(out);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (sizeof(From) > sizeof(To) && std::is_integral_v<To>) {
      if (from[i] < std::numeric_limits<To>::min() || from[i] > std::numeric_limits<To>::max())
        throw Failure(Cat(from[i], " does not fit the input's type"));
    }
    to[i] = static_cast<To>(from[i]);
  }
}

using CastFunction = void (*)(const std::byte*, int64_t, std::byte*);

// Null: not a conversion that keeps the meaning. u8 to f32 has a table instead.
CastFunction FindCast(intmill_dtype from, intmill_dtype to) {
  if (from == INTMILL_U8 && to == INTMILL_S32) return Cast<uint8_t, int32_t>;
  if (from == INTMILL_U8 && to == INTMILL_S64) return Cast<uint8_t, int64_t>;
  if (from == INTMILL_S32 && to == INTMILL_S64) return Cast<int32_t, int64_t>;
  if (from == INTMILL_S64 && to == INTMILL_S32) return Cast<int64_t, int32_t>;
  if (from == INTMILL_S32 && to == INTMILL_F32) return Cast<int32_t, float>;
  if (from == INTMILL_S64 && to == INTMILL_F32) return Cast<int64_t, float>;
  return nullptr;
}

// rows x columns becomes columns x rows.
void Transpose(const std::byte* from, int64_t rows, int64_t columns, int64_t bytes_of_one,
               std::byte* to) {
  const auto size = static_cast<size_t>(bytes_of_one);
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r, to += bytes_of_one)
      std::memcpy(to, from + (r * columns + c) * bytes_of_one, size);
  }
}

}  // namespace

bool Normalization::IsIdentity() const {
  const auto all = [](const std::vector<double>& values, double wanted) {
    return std::all_of(values.begin(), values.end(), [&](double v) { return v == wanted; });
  };
  return all(scale, 1) && all(mean, 0) && all(deviation, 1);
}

std::vector<double> ParseNumbers(const std::string& text, const std::string& option) {
  std::vector<double> values;
  std::string_view rest = text;
  for (;;) {
    const size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const size_t slash = item.find('/');
    const double number = ParseNumber(item.substr(0, slash), option);
    const double divisor =
        slash == std::string_view::npos ? 1 : ParseNumber(item.substr(slash + 1), option);
    if (divisor == 0) throw UsageError(Cat(option, ": '", item, "' divides by zero"));
    values.push_back(number / divisor);
    if (comma == std::string_view::npos) return values;
    rest.remove_prefix(comma + 1);
  }
}

Converter::Converter(const ArrayType& found, Layout layout, const ArrayType& wanted,
                     const Normalization& normalization)
    : found_(found), result_(wanted) {
  const bool has_table = found.dtype == INTMILL_U8 && wanted.dtype == INTMILL_F32;
  const auto fit = FitShape(found.dims, layout, wanted.dims);
  if (!fit || !(has_table || found.dtype == wanted.dtype || FindCast(found.dtype, wanted.dtype)))
    throw Failure(Cat("samples are ", ArrayText(found), ", the input wants ", ArrayText(wanted)));
  result_.dims = fit->dims;
  layout_ = fit->layout;
  is_transposed_ = fit->is_transposed;
  if (has_table) MakeTable(normalization);
  if (is_transposed_) scratch_.resize(static_cast<size_t>(ByteCount(result_)));
}

void Converter::MakeTable(const Normalization& normalization) {
  size_t channels = 1;
  for (const auto* values : {&normalization.scale, &normalization.mean, &normalization.deviation})
    channels = std::max(channels, values->size());
  const int64_t has = layout_ == Layout::kUnknown ? 1
                      : layout_ == Layout::kNchw  ? found_.dims[0]
                                                  : found_.dims[2];
  for (const auto* values : {&normalization.scale, &normalization.mean, &normalization.deviation}) {
    const auto given = static_cast<int64_t>(values->size());
    if (given != 1 && given != has)
      throw UsageError(Cat("--scale, --mean, --std: ", given, " values for ", has, " channels"));
  }
  table_.resize(channels * 256);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t x = 0; x < 256; ++x) {
      table_[c * 256 + x] = static_cast<float>(
          (static_cast<double>(x) * Of(normalization.scale, c) - Of(normalization.mean, c)) /
          Of(normalization.deviation, c));
    }
  }
}

void Converter::ConvertElements(const std::byte* sample, std::byte* out) const {
  const int64_t count = ElementCount(found_.dims);
  if (table_.empty()) {
    if (const CastFunction cast = FindCast(found_.dtype, result_.dtype)) {
      cast(sample, count, out);
    } else {
      std::memcpy(out, sample, static_cast<size_t>(ByteCount(found_)));
    }
    return;
  }
  const auto* const from = reinterpret_cast<const uint8_t*>(sample);
  auto* const to = reinterpret_cast<float*>(out);
  const auto channels = static_cast<int64_t>(table_.size() / 256);
  // Elements of one channel in a row: a plane when channels come first, one when they come last.
  const int64_t run = channels == 1 ? count : layout_ == Layout::kNchw ? count / channels : 1;
  for (int64_t begin = 0, c = 0; begin < count; begin += run, c = (c + 1) % channels) {
    const float* const table = table_.data() + c * 256;
    for (int64_t i = begin; i < begin + run; ++i) to[i] = table[from[i]];
  }
}

void Converter::Convert(const std::byte* sample, std::byte* out) {
  if (!is_transposed_) return ConvertElements(sample, out);
  ConvertElements(sample, scratch_.data());
  const Dims& dims = found_.dims;
  const bool is_last = layout_ == Layout::kNhwc;
  const int64_t rows = is_last ? dims[0] * dims[1] : dims[0];
  const int64_t columns = is_last ? dims[2] : dims[1] * dims[2];
  Transpose(scratch_.data(), rows, columns, BytesOfOne(result_.dtype), out);
}

}  // namespace intmill::cli
