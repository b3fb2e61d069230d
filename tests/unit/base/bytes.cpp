// ByteWriter and ByteReader: what goes in comes out, in one way only; checksums and digests.
#include "base/bytes.h"

#include <criterion/criterion.h>
#include <limits>

#include "base/checksum.h"
#include "base/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace intmill;

namespace {

constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

std::vector<std::byte> Bytes(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}

}  // namespace

Test(bytes, numbers_and_texts_come_back) {
  ByteWriter out;
  for (const int64_t n : {int64_t{0}, int64_t{127}, int64_t{128}, kHighest})
    out.Unsigned(static_cast<uint64_t>(n));
  for (const int64_t n : {int64_t{0}, int64_t{-1}, int64_t{64}, kHighest, kLowest}) out.Signed(n);
  out.Float(-1.5f);
  out.Text("name");
  ByteReader in(out.bytes());
  for (const int64_t n : {int64_t{0}, int64_t{127}, int64_t{128}, kHighest})
    cr_assert_eq(*in.Unsigned(kHighest), n);
  for (const int64_t n : {int64_t{0}, int64_t{-1}, int64_t{64}, kHighest, kLowest})
    cr_assert_eq(*in.Signed(), n);
  cr_assert_eq(*in.Float(), -1.5f);
  cr_assert(*in.Text(10) == "name");
  cr_assert_eq(in.left(), 0);
}

Test(bytes, what_was_not_written_so_is_refused) {
  // Longer than need be, beyond 64 bits, above the limit, cut off.
  cr_assert_not(ByteReader(Bytes({0x80, 0})).Unsigned(kHighest).ok());
  cr_assert_not(
      ByteReader(Bytes({255, 255, 255, 255, 255, 255, 255, 255, 255, 2})).Unsigned(kHighest).ok());
  cr_assert_not(ByteReader(Bytes({11})).Unsigned(10).ok());
  cr_assert_not(ByteReader(Bytes({0x80})).Signed().ok());
  cr_assert_not(ByteReader(Bytes({1, 2, 3})).Float().ok());
  cr_assert_not(ByteReader(Bytes({5, 'a'})).Text(10).ok());
  cr_assert_not(ByteReader(Bytes({5, 'a', 'b', 'c', 'd', 'e'})).Text(4).ok());
}

// Long contents are summed with AVX2 where there is AVX2; files go from one machine to another.
Test(checksum, every_length_has_the_checksum_that_the_format_names) {
  std::vector<std::byte> bytes(70000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i >> 3);
  for (const size_t size : {0, 1, 240, 4095, 4096, 4097, 5000, 65536, 69999})
    for (const size_t at : {0, 1})
      cr_expect_eq(ChecksumOf(std::span(bytes).subspan(at, size)),
                   XXH3_64bits(bytes.data() + at, size), "%zu bytes at %zu", size, at);
}

Test(digest, portions_do_not_show_and_contents_do) {
  const std::vector<std::byte> all = Bytes({1, 2, 3, 4, 5});
  Digest whole;
  whole.Add(all);
  Digest parts;
  parts.Add(std::span(all).first(2));
  parts.Add(std::span(all).subspan(2));
  cr_assert(whole.Hex() == parts.Hex());
  cr_assert_eq(whole.Hex().size(), 32);
  Digest ab_c;
  ab_c.AddText("ab");
  ab_c.AddText("c");
  Digest a_bc;
  a_bc.AddText("a");
  a_bc.AddText("bc");
  cr_assert(ab_c.Hex() != a_bc.Hex());
}
