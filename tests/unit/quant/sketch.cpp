// Sketches: exact for short signals, close for long ones, and the same whatever the portions.
#include "quant/sketch.h"

#include <cmath>
#include <criterion/criterion.h>

#include "base/base64.h"
#include "unit/quant/data.h"

using namespace intmill;

namespace {

Sketch Of(const std::vector<float>& values, size_t buckets) {
  Sketch sketch(buckets);
  sketch.Add(values);
  return sketch;
}

double Exact(const std::vector<float>& a, const std::vector<float>& b) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    signal += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    noise += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  }
  return 10 * std::log10(signal / noise);
}

std::vector<float> Noisy(std::vector<float> values, float noise) {
  const std::vector<float> more = Normal(static_cast<int>(values.size()), 99, noise);
  for (size_t i = 0; i < values.size(); ++i) values[i] += more[i];
  return values;
}

}  // namespace

Test(sketch, is_exact_while_each_value_has_a_bucket) {
  const auto a = Normal(100, 1, 1);
  const auto b = Noisy(a, 0.1f);
  cr_assert_float_eq(Sketch::SqnrDb(Of(a, 128), Of(b, 128)), Exact(a, b), 1e-6);
}

Test(sketch, comes_close_to_long_signals) {
  const auto a = Normal(100000, 1, 1);
  for (const float noise : {0.3f, 0.1f, 0.01f}) {
    const auto b = Noisy(a, noise);
    cr_assert_float_eq(Sketch::SqnrDb(Of(a, 256), Of(b, 256)), Exact(a, b), 1.5);
  }
  cr_assert_eq(Sketch::SqnrDb(Of(a, 256), Of(a, 256)), INFINITY);
}

Test(sketch, portions_do_not_show_and_order_does) {
  auto values = Normal(1000, 2, 1);
  const std::string whole = Of(values, 32).ToText();
  Sketch parts(32);
  const std::span<const float> all = values;
  for (size_t begin = 0; begin < all.size(); begin += 77)
    parts.Add(all.subspan(begin, std::min<size_t>(77, all.size() - begin)));
  cr_assert_eq(parts.ToText(), whole);
  std::swap(values[3], values[700]);
  cr_assert_neq(Of(values, 32).ToText(), whole);
}

Test(sketch, text_reads_back_as_what_was_rounded) {
  const Sketch sketch = Of(Normal(1000, 3, 1), 32);
  const auto read = Sketch::FromText(sketch.ToText());
  cr_assert(read.ok());
  cr_assert_eq(read->ToText(), sketch.ToText());
  cr_assert_eq(Sketch::SqnrDb(*read, sketch.Rounded()), INFINITY);
  for (const char* bad : {"", "AAA", "AAAA", "AAAA====", "!AAA"})
    cr_assert(!Sketch::FromText(bad).ok(), "%s", bad);
}

Test(base64, reads_back_what_it_wrote_and_nothing_else) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 70; ++i) {
    const auto read = FromBase64(ToBase64(bytes));
    cr_assert(read.ok());
    cr_assert(*read == bytes);
    bytes.push_back(static_cast<std::byte>(i * 37));
  }
  const std::byte hello[] = {std::byte{'h'}, std::byte{'i'}};
  cr_assert_eq(ToBase64(hello), "aGk=");
  for (const char* bad : {"a", "aGk", "aGl=", "aGk=aGk=", "aG k"})
    cr_assert(!FromBase64(bad).ok(), "%s", bad);
}
