// Tests of reading .npy files, good and damaged.
#include <criterion/criterion.h>

#include "unit/cli/data_helpers.h"
#include "unit/temporary_folder.h"

using namespace intmill::cli;

namespace {

// A version 1 file with this dictionary and 64 zero bytes of elements.
std::string NpyWithHeader(const std::string& dictionary, char major = 1) {
  std::string file = "\x93NUMPY";
  file += major;
  file += '\0';
  file += static_cast<char>(dictionary.size() & 0xff);
  file += static_cast<char>(dictionary.size() >> 8);
  if (major != 1) file += std::string(2, '\0');
  return file + dictionary + std::string(64, '\0');
}

NpyHeader Parse(const std::string& file) {
  return ParseNpy(std::as_bytes(std::span(file)), "x.npy");
}

std::string ParseFailure(const std::string& file) {
  return FailureOf([&] { Parse(file); });
}

}  // namespace

Test(cli_npy, first_dimension_counts_samples) {
  const TemporaryFolder folder;
  folder.Write("x.npy", NpyFile<float>({INTMILL_F32, {2, 3}}, {0, 1, 2, 3, 4, 5}));
  const DatasetPtr data = OpenDataset(folder / "x.npy", "", 0);
  cr_assert_eq(data->count(), 2);
  cr_assert(data->sample().dims == Dims{3});
  cr_assert(ReadSample<float>(*data, 1) == (std::vector<float>{3, 4, 5}));
}

Test(cli_npy, array_without_dimensions_is_one_sample) {
  const TemporaryFolder folder;
  folder.Write("x.npy", NpyFile<int64_t>({INTMILL_S64, {}}, {-7}));
  const DatasetPtr data = OpenNpy(folder / "x.npy");
  cr_assert_eq(data->count(), 1);
  cr_assert(ReadSample<int64_t>(*data, 0) == std::vector<int64_t>{-7});
}

Test(cli_npy, preamble_reads_back_and_is_aligned) {
  for (const ArrayType& type :
       {ArrayType{INTMILL_U8, {4}}, ArrayType{INTMILL_F16, {1, 2}}, ArrayType{INTMILL_BOOL, {0}}}) {
    const std::string preamble = NpyPreamble(type);
    cr_assert_eq(preamble.size() % 64, 0);
    const NpyHeader header = Parse(preamble + std::string(64, '\0'));
    cr_assert_eq(header.type.dtype, type.dtype);
    cr_assert(header.type.dims == type.dims);
    cr_assert_eq(header.data_offset, static_cast<int64_t>(preamble.size()));
  }
}

Test(cli_npy, reads_all_versions_and_spellings) {
  const std::string dictionary =
      "{\"shape\":(2L,), 'fortran_order':False ,'descr': '<i4'}       \n";
  for (const char major : {1, 2, 3}) {
    const NpyHeader header = Parse(NpyWithHeader(dictionary, major));
    cr_assert_eq(header.type.dtype, INTMILL_S32);
    cr_assert(header.type.dims == Dims{2});
  }
}

Test(cli_npy, refuses_doubles_and_says_how_to_convert) {
  const std::string message =
      ParseFailure(NpyWithHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"));
  cr_assert(Contains(message, "'<f8'") && Contains(message, "astype('float32')"));
}

Test(cli_npy, refuses_columns_first_big_endian_and_records) {
  cr_assert(Contains(
      ParseFailure(NpyWithHeader("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }")),
      "ascontiguousarray"));
  cr_assert(Contains(
      ParseFailure(NpyWithHeader("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }")),
      "'>f4'"));
  cr_assert(Contains(ParseFailure(NpyWithHeader(
                         "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }")),
                     "records"));
}

Test(cli_npy, refuses_sizes_that_are_not_there) {
  const auto with_shape = [](const std::string& shape) {
    return ParseFailure(
        NpyWithHeader("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }"));
  };
  cr_assert(Contains(with_shape("(17,)"), "cut short"));
  cr_assert(Contains(with_shape("(4611686018427387904, 4)"), "cut short"));
  cr_assert(Contains(with_shape("(3037000500, 3037000500, 3037000500)"), "cut short"));
  cr_assert(Contains(with_shape("(99999999999999999999,)"), "damaged"));
  cr_assert(Contains(with_shape("(-1,)"), "damaged"));
  cr_assert(Contains(with_shape("(1,1,1,1,1,1,1,1,1,1,1,1,1)"), "damaged"));
}

Test(cli_npy, every_cut_of_a_file_is_refused) {
  const std::string file = NpyFile<float>({INTMILL_F32, {2, 3}}, {0, 1, 2, 3, 4, 5});
  for (size_t size = 0; size < file.size(); ++size)
    cr_assert_neq(ParseFailure(file.substr(0, size)), "", "cut to %zu bytes", size);
}

Test(cli_npy, no_changed_byte_of_the_header_reads_outside) {
  const std::string file = NpyFile<float>({INTMILL_F32, {2, 3}}, {0, 1, 2, 3, 4, 5});
  for (size_t i = 0; i < file.size() - 24; ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = file;
      changed[i] = static_cast<char>(value);
      FailureOf([&] {
        const NpyHeader header = Parse(changed);
        cr_assert_leq(header.data_offset + ByteCount(header.type),
                      static_cast<int64_t>(changed.size()));
      });
    }
  }
}

Test(cli_npy, unknown_files_are_named) {
  const TemporaryFolder folder;
  folder.Write("x.bin", "hello");
  const std::string message = FailureOf([&] { OpenDataset(folder / "x.bin", "", 0); });
  cr_assert(Contains(message, "x.bin: not a .npy"));
  cr_assert(Contains(FailureOf([&] { OpenDataset(folder / "absent", "", 0); }),
                     "absent: cannot be opened"));
}
