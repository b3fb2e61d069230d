// Tests of reading IDX files, plain, compressed and damaged.
#include <criterion/criterion.h>
#include <zlib.h>

#include "unit/cli/data_helpers.h"
#include "unit/temporary_folder.h"

using namespace intmill::cli;

namespace {

// Two pictures of 2 x 3.
std::string TwoPictures() {
  std::string file("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03", 16);
  for (char i = 0; i < 12; ++i) file += i;
  return file;
}

void WriteGzip(const std::string& path, const std::string& content) {
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
}

std::string OpenFailure(const TemporaryFolder& folder, const std::string& content) {
  folder.Write("x.idx", content);
  return FailureOf([&] { OpenIdx(folder / "x.idx"); });
}

}  // namespace

Test(cli_idx, reads_plain_and_compressed_files_alike) {
  const TemporaryFolder folder;
  folder.Write("x.idx", TwoPictures());
  WriteGzip(folder / "x.idx.gz", TwoPictures());
  for (const char* name : {"x.idx", "x.idx.gz"}) {
    const DatasetPtr data = OpenDataset(folder / name, "", 0);
    cr_assert_eq(data->count(), 2);
    cr_assert(data->sample().dims == (Dims{2, 3}));
    cr_assert(ReadSample<uint8_t>(*data, 1) == (std::vector<uint8_t>{6, 7, 8, 9, 10, 11}));
  }
}

Test(cli_idx, refuses_lengths_that_differ_from_the_header) {
  const TemporaryFolder folder;
  const std::string file = TwoPictures();
  cr_assert(Contains(OpenFailure(folder, file + "x"), "more follows"));
  for (size_t size = 0; size < file.size(); ++size)
    cr_assert_neq(OpenFailure(folder, file.substr(0, size)), "", "cut to %zu bytes", size);
}

Test(cli_idx, huge_header_does_not_allocate) {
  const TemporaryFolder folder;
  const std::string header("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16);
  cr_assert_neq(OpenFailure(folder, header + "abc"), "");
}

Test(cli_idx, refuses_other_element_types) {
  const TemporaryFolder folder;
  std::string file = TwoPictures();
  file[2] = 0x0d;
  cr_assert(Contains(OpenFailure(folder, file), "element type 13"));
}

Test(cli_idx, refuses_a_damaged_gzip_file) {
  const TemporaryFolder folder;
  WriteGzip(folder / "x.gz", TwoPictures());
  std::string file = folder.Read("x.gz");
  file[file.size() - 6] ^= 1;  // in the checksum
  folder.Write("x.gz", file);
  cr_assert(Contains(FailureOf([&] { OpenIdx(folder / "x.gz"); }), "x.gz: damaged gzip file"));
}
