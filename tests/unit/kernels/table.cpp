// Look-up tables: every level gives the bytes of the table.
#include "kernels/native/table.h"

#include <criterion/criterion.h>

#include "unit/kernels/run.h"

using namespace intmill;
using namespace intmill::test;

Test(table, every_level_and_length_gives_the_bytes_of_the_table) {
  native::ByteTable table;
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<uint8_t>(i * 167 + 13);
  for (const int64_t n : {1, 63, 64, 65, 255, 1000, 40000}) {
    Bytes x(static_cast<size_t>(n));
    Bytes wanted(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<Bytes::value_type>(i * 31 + i / 256);
      wanted[i] = static_cast<Bytes::value_type>(table[static_cast<uint8_t>(x[i])]);
    }
    for (const Isa isa : {Isa::kBaseline, DetectIsa()}) {
      const auto kernel = native::MakeTable(table, n, isa);
      cr_assert(kernel.ok());
      for (const int64_t threads : {1, 2})
        cr_expect(Run(**kernel, {x.data()}, n, threads) == wanted, "%d bytes", static_cast<int>(n));
    }
  }
}
