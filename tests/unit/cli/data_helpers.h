// What the tests of the data readers share: files made of bytes, samples read as numbers.
#ifndef INTMILL_TESTS_UNIT_CLI_DATA_HELPERS_H
#define INTMILL_TESTS_UNIT_CLI_DATA_HELPERS_H

#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/dataset.h"
#include "cli/error.h"
#include "cli/npy.h"

namespace intmill::cli {

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <typename T>
std::string NpyFile(const ArrayType& type, const std::vector<T>& values) {
  return NpyPreamble(type) + BytesOf(values);
}

template <typename T>
std::vector<T> ReadSample(const Dataset& data, int64_t index) {
  std::vector<T> sample(static_cast<size_t>(ElementCount(data.sample().dims)));
  data.Read(index, reinterpret_cast<std::byte*>(sample.data()));
  return sample;
}

// The message of the Failure that `action` ends with; "" when it does not.
inline std::string FailureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

inline bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace intmill::cli

#endif  // INTMILL_TESTS_UNIT_CLI_DATA_HELPERS_H
