// Preprocessing: turns a sample as it lies in a file into what a model's input wants.
#ifndef INTMILL_CLI_PREPROCESS_H
#define INTMILL_CLI_PREPROCESS_H

#include <cstddef>
#include <string>
#include <vector>

#include "cli/array.h"
#include "cli/dataset.h"

namespace intmill::cli {

// u8 becomes float by (x * scale - mean) / std, with one value each or one for each channel.
struct Normalization {
  std::vector<double> scale{1.0};
  std::vector<double> mean{0.0};
  std::vector<double> deviation{1.0};

  bool IsIdentity() const;
};

// "0.5", "1/255" or a list of them with commas; `option` opens the messages.
std::vector<double> ParseNumbers(const std::string& text, const std::string& option);

// One sample in, one out. What there is to decide is decided once, when it is made.
class Converter {
 public:
  // wanted: the input's type and the dims of one sample, -1 where free. layout: of the samples.
  Converter(const ArrayType& found, Layout layout, const ArrayType& wanted,
            const Normalization& normalization);

  const ArrayType& result() const { return result_; }
  bool normalizes() const { return !table_.empty(); }
  void Convert(const std::byte* sample, std::byte* out);

 private:
  void ConvertElements(const std::byte* sample, std::byte* out) const;
  void MakeTable(const Normalization& normalization);

  ArrayType found_;
  ArrayType result_;
  Layout layout_;               // of the samples, where their dims are height, width and channels
  bool is_transposed_ = false;  // the model has the other layout
  std::vector<float> table_;    // u8 to float: 256 values for each channel
  std::vector<std::byte> scratch_;
};

}  // namespace intmill::cli

#endif  // INTMILL_CLI_PREPROCESS_H
