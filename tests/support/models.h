// The real models of ../shared: what each is expected to do, and random inputs for it.
#ifndef INTMILL_TESTS_SUPPORT_MODELS_H
#define INTMILL_TESTS_SUPPORT_MODELS_H

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "support/shared_data.h"

namespace intmill::test {

struct Expectation {
  std::string model;
  std::string verdict;  // "equal", or "unsupported"
  std::map<std::string, int64_t> dims;
  int64_t unnamed_dim = 1;  // for dimensions without a name: any=N
  int64_t max_integer = 1;  // integer inputs are 0 to this: ids=N
  bool large = false;  // takes minutes under a sanitizer, and others have its operators: large=1
};

// model.onnx equal batch=2 any=1 ids=511
inline Expectation ParseLine(const std::string& line) {
  Expectation expectation;
  std::istringstream words(line);
  words >> expectation.model >> expectation.verdict;
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const int64_t number = std::stoll(word.substr(equals + 1));
    if (key == "any") {
      expectation.unnamed_dim = number;
    } else if (key == "ids") {
      expectation.max_integer = number;
    } else if (key == "large") {
      expectation.large = number != 0;
    } else {
      expectation.dims[key] = number;
    }
  }
  return expectation;
}

inline std::vector<Expectation> ReadExpectations() {
  std::vector<Expectation> expectations;
  std::ifstream file(RepositoryFolder() + "/tests/models/expected.txt");
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') expectations.push_back(ParseLine(line));
  }
  return expectations;
}

// Floats uniform in -1 to 1, integers uniform in 0 to max_integer.
inline Result<Tensor> RandomInput(const Value& value, const Expectation& expectation,
                                  std::mt19937& random) {
  if (!value.shape) return Error(Code::kShape, "input '", value.name, "' has no rank");
  Shape shape = *value.shape;
  std::replace(shape.begin(), shape.end(), kDynamic, expectation.unnamed_dim);
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Make(value.dtype, shape));
  const auto range = static_cast<uint64_t>(expectation.max_integer) + 1;
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    const uint32_t r = static_cast<uint32_t>(random());
    const uint64_t integer = r % range;
    switch (value.dtype) {
      case DType::kF32:
        tensor.mutable_data<float>()[i] = static_cast<float>(r) / 2147483648.0f - 1.0f;
        break;
      case DType::kS64:
        tensor.mutable_data<int64_t>()[i] = static_cast<int64_t>(integer);
        break;
      case DType::kS32:
        tensor.mutable_data<int32_t>()[i] = static_cast<int32_t>(integer);
        break;
      case DType::kU8:
        tensor.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(r);
        break;
      case DType::kS8:
        tensor.mutable_data<int8_t>()[i] = static_cast<int8_t>(r);
        break;
      default:
        return Error(Code::kUnsupported, "an input of ", DTypeName(value.dtype));
    }
  }
  return tensor;
}

// One random input for each input of the graph, from a fixed seed.
inline Result<std::vector<Tensor>> RandomInputs(const Graph& graph,
                                                const Expectation& expectation) {
  std::mt19937 random(1);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs) {
    ASSIGN_OR_RETURN(Tensor input, RandomInput(graph.value(id), expectation, random));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_SUPPORT_MODELS_H
