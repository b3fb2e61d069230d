// What GPTQ needs to know of the data: the sum of x x^T over all rows x of a layer's input.
#ifndef INTMILL_QUANT_INPUT_PRODUCTS_H
#define INTMILL_QUANT_INPUT_PRODUCTS_H

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace intmill {

// Sums of products of channels. What a sample adds is rounded to 2^-44 and summed up in 128 bits,
// so that the order of samples and their division among threads do not show. 8 K (K + 1) bytes for
// K channels, however many samples there were.
class InputProducts {
 public:
  // `values` are whole rows of `channels` floats, of one sample.
  void Add(std::span<const float> values, int64_t channels);
  void Merge(const InputProducts& other);

  // False when nothing was added, the number of channels changed, or values were too large or not
  // finite; Get may then not be called.
  bool usable() const { return usable_ && channels_ > 0; }
  int64_t channels() const { return channels_; }
  // Of channels i and j.
  double Get(int64_t i, int64_t j) const;

 private:
  __extension__ using Sum = __int128;

  void AddRow(std::span<const float> values, int64_t i, std::vector<float>& sums);

  int64_t channels_ = 0;
  bool usable_ = true;
  std::vector<Sum> sums_;  // of i and j <= i, at i (i + 1) / 2 + j
};

// Of a value by name, null when there are none.
using FindProducts = std::function<const InputProducts*(std::string_view)>;

}  // namespace intmill

#endif  // INTMILL_QUANT_INPUT_PRODUCTS_H
