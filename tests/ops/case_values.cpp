// The values of a case's tensors: literals, fills and reproducible random numbers.
#include "ops/case_values.h"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numbers>

namespace intmill::test {
namespace {

// splitmix64, so that a seed means the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  double Normal() {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  uint64_t state_;
};

bool IsFloat(DType dtype) { return dtype == DType::kF32; }

template <typename T>
void Store(Tensor& t, int64_t i, double value) {
  t.mutable_data<T>()[i] = static_cast<T>(value);
}

Status StoreValue(Tensor& t, int64_t i, double value) {
  switch (t.dtype()) {
    case DType::kF32:
      Store<float>(t, i, value);
      return Ok();
    case DType::kS8:
      Store<int8_t>(t, i, value);
      return Ok();
    case DType::kU8:
      Store<uint8_t>(t, i, value);
      return Ok();
    case DType::kS16:
      Store<int16_t>(t, i, value);
      return Ok();
    case DType::kS32:
      Store<int32_t>(t, i, value);
      return Ok();
    case DType::kS64:
      Store<int64_t>(t, i, value);
      return Ok();
    case DType::kBool:
      Store<bool>(t, i, value);
      return Ok();
    default:
      return Error(Code::kUnsupported, "values of type ", DTypeName(t.dtype()));
  }
}

Status StoreWord(Tensor& t, int64_t i, const std::string& word) {
  if (t.dtype() == DType::kS64) {  // a double cannot hold every one
    ASSIGN_OR_RETURN(t.mutable_data<int64_t>()[i], ParseInteger(word));
    return Ok();
  }
  ASSIGN_OR_RETURN(const double value, ParseNumber(word));
  return StoreValue(t, i, value);
}

Status Generate(Tensor& t, const std::function<double(int64_t)>& value_at) {
  for (int64_t i = 0; i < t.elements(); ++i) TRY(StoreValue(t, i, value_at(i)));
  return Ok();
}

Status FillRandom(Tensor& t, Words words) {
  if (words.size() < 2 || !words[0].starts_with("seed="))
    return Error(Code::kBadFormat, "random wants seed=N and a distribution");
  ASSIGN_OR_RETURN(const int64_t seed, ParseInteger(words[0].substr(5)));
  Random random(static_cast<uint64_t>(seed));
  if (words[1] == "normal" && words.size() == 2)
    return Generate(t, [&](int64_t) { return random.Normal(); });
  if (words[1] != "uniform" || words.size() != 4)
    return Error(Code::kBadFormat, "random wants 'normal', or 'uniform' and two ends");
  ASSIGN_OR_RETURN(const double low, ParseNumber(words[2]));
  ASSIGN_OR_RETURN(const double high, ParseNumber(words[3]));
  return Generate(t, [&](int64_t) {
    if (IsFloat(t.dtype())) return low + (high - low) * random.Uniform();
    return std::floor(low + (high - low + 1) * random.Uniform());
  });
}

Status Fill(Tensor& t, const std::string& source, Words words) {
  if (source == "=") {
    if (static_cast<int64_t>(words.size()) != t.elements())
      return Error(Code::kBadFormat, "found ", words.size(), " values, wanted ", t.elements());
    for (int64_t i = 0; i < t.elements(); ++i) TRY(StoreWord(t, i, words[static_cast<size_t>(i)]));
    return Ok();
  }
  if (source == "all" && words.size() == 1) {
    for (int64_t i = 0; i < t.elements(); ++i) TRY(StoreWord(t, i, words[0]));
    return Ok();
  }
  if (source == "range" && words.size() == 2) {
    ASSIGN_OR_RETURN(const double first, ParseNumber(words[0]));
    ASSIGN_OR_RETURN(const double step, ParseNumber(words[1]));
    return Generate(t, [&](int64_t i) { return first + step * static_cast<double>(i); });
  }
  if (source == "random") return FillRandom(t, words);
  return Error(Code::kBadFormat, "values begin with '=', 'all', 'range' or 'random', not '", source,
               "'");
}

}  // namespace

Result<DType> ParseDType(const std::string& word) {
  for (int32_t i = 1; i <= static_cast<int32_t>(DType::kS16); ++i)
    if (word == DTypeName(static_cast<DType>(i))) return static_cast<DType>(i);
  return Error(Code::kBadFormat, "'", word, "' is not an element type");
}

Result<Shape> ParseShape(const std::string& word) {
  Shape shape;
  if (word == "scalar") return shape;
  for (size_t begin = 0; begin <= word.size();) {
    const size_t end = std::min(word.find('x', begin), word.size());
    ASSIGN_OR_RETURN(const int64_t dim, ParseInteger(word.substr(begin, end - begin)));
    shape.push_back(dim);
    begin = end + 1;
  }
  return shape;
}

Result<int64_t> ParseInteger(const std::string& word) {
  if (word == "INT64_MAX") return std::numeric_limits<int64_t>::max();
  if (word == "INT64_MIN") return std::numeric_limits<int64_t>::min();
  char* end = nullptr;
  const int64_t value = std::strtoll(word.c_str(), &end, 10);
  if (word.empty() || *end != '\0')
    return Error(Code::kBadFormat, "'", word, "' is not an integer");
  return value;
}

Result<double> ParseNumber(const std::string& word) {
  if (word == "true") return 1.0;
  if (word == "false") return 0.0;
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (word.empty() || *end != '\0') return Error(Code::kBadFormat, "'", word, "' is not a number");
  return value;
}

Result<Tensor> ParseTensor(Words words) {
  if (words.size() < 3) return Error(Code::kBadFormat, "a tensor wants type, shape and values");
  ASSIGN_OR_RETURN(const DType dtype, ParseDType(words[0]));
  ASSIGN_OR_RETURN(const Shape shape, ParseShape(words[1]));
  TRY(CheckShape(shape, dtype));
  ASSIGN_OR_RETURN(Tensor t, Tensor::Make(dtype, shape));
  TRY(Fill(t, words[2], words.subspan(3)));
  return t;
}

}  // namespace intmill::test
