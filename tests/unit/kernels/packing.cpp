// Packed weights are where the primitive will look for them, or packing says that they are not.
#include "kernels/onednn/packing.h"

#include <criterion/criterion.h>
#include <numeric>

using namespace intmill;
using dnnl::memory;

namespace {

constexpr int64_t kRows = 40;
constexpr int64_t kColumns = 10;

std::vector<float> Numbered() {
  std::vector<float> numbers(kRows * kColumns);
  std::iota(numbers.begin(), numbers.end(), 1.0f);
  return numbers;
}

// Element (row, column) of a matrix in blocks of 16 rows by 64 columns.
float AtBlocked(const SharedBytes& packed, int64_t row, int64_t column) {
  const auto* blocks = reinterpret_cast<const float*>(packed.get());
  return blocks[row / 16 * 16 * 64 + row % 16 * 64 + column];
}

Result<SharedBytes> PackBlocked(const std::vector<float>& numbers, memory::format_tag given) {
  const memory::desc from({kRows, kColumns}, memory::data_type::f32, given);
  const memory::desc to({kRows, kColumns}, memory::data_type::f32, memory::format_tag::BA16a64b);
  return onednn::Guarded([&] { return onednn::Pack(from, numbers.data(), to); });
}

}  // namespace

Test(packing, rows_arrive_in_blocks) {
  const std::vector<float> numbers = Numbered();
  const Result<SharedBytes> packed = PackBlocked(numbers, memory::format_tag::ab);
  cr_assert(packed.ok(), "%s", packed.status().message().c_str());
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t column = 0; column < kColumns; ++column)
      cr_assert_eq(AtBlocked(*packed, row, column),
                   numbers[static_cast<size_t>(row * kColumns + column)]);
}

// The ones that oneDNN 3.7.2's reorders lose elements of.
Test(packing, columns_arrive_in_blocks_that_they_do_not_fill) {
  const std::vector<float> numbers = Numbered();
  const Result<SharedBytes> packed = PackBlocked(numbers, memory::format_tag::ba);
  cr_assert(packed.ok(), "%s", packed.status().message().c_str());
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t column = 0; column < kColumns; ++column)
      cr_assert_eq(AtBlocked(*packed, row, column),
                   numbers[static_cast<size_t>(column * kRows + row)]);
}

Test(packing, channels_arrive_in_blocks_that_they_do_not_fill) {
  std::vector<float> numbers(40 * 24);
  std::iota(numbers.begin(), numbers.end(), 1.0f);
  const memory::dims dims = {40, 24, 1, 1};
  const memory::desc from(dims, memory::data_type::f32, memory::format_tag::abcd);
  const memory::desc to(dims, memory::data_type::f32, memory::format_tag::Acdb32a);
  const Result<SharedBytes> packed =
      onednn::Guarded([&] { return onednn::Pack(from, numbers.data(), to); });
  cr_assert(packed.ok(), "%s", packed.status().message().c_str());
  const auto* blocks = reinterpret_cast<const float*>(packed->get());
  for (size_t out = 0; out < 40; ++out)
    for (size_t in = 0; in < 24; ++in)
      cr_assert_eq(blocks[out / 32 * 32 * 24 + in * 32 + out % 32], numbers[out * 24 + in]);
  for (size_t padding = 40; padding < 64; ++padding)
    cr_assert_eq(blocks[32 * 24 + padding % 32], 0.0f);
}
