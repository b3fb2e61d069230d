// Tests of reading and writing .npz files, good and damaged.
#include <criterion/criterion.h>
#include <zlib.h>

#include "cli/npz_writer.h"
#include "cli/zip.h"
#include "unit/cli/data_helpers.h"
#include "unit/temporary_folder.h"

using namespace intmill::cli;

namespace {

std::span<const std::byte> AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// Two arrays: "a" f32 4x2 from 0 to 7, "b" s64 3.
void WriteTwoArrays(const std::string& path) {
  NpzWriter writer(path, {{"a", {INTMILL_F32, {4, 2}}}, {"b", {INTMILL_S64, {3}}}});
  writer.Append(0, AsBytes(BytesOf<float>({0, 1, 2, 3})));
  writer.Append(1, AsBytes(BytesOf<int64_t>({10, 20, 30})));
  writer.Append(0, AsBytes(BytesOf<float>({4, 5, 6, 7})));
  writer.Finish();
}

std::string Number(uint64_t value, int width) {
  std::string text;
  for (int i = 0; i < width; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::string Deflate(const std::string& content) {
  std::string out(compressBound(content.size()), '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// A zip file with one deflated member, as numpy.savez_compressed writes it, that claims `size`.
std::string DeflatedZip(const std::string& content, uint64_t size) {
  const std::string packed = Deflate(content);
  const uint64_t crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  const std::string sizes = Number(packed.size(), 4) + Number(size, 4);
  const std::string name = "x.npy";
  const std::string local = Number(0x04034b50, 4) + Number(20, 2) + Number(0, 2) + Number(8, 2) +
                            Number(0, 4) + Number(crc, 4) + sizes + Number(name.size(), 2) +
                            Number(0, 2) + name;
  const std::string central = Number(0x02014b50, 4) + Number(20, 2) + Number(20, 2) + Number(0, 2) +
                              Number(8, 2) + Number(0, 4) + Number(crc, 4) + sizes +
                              Number(name.size(), 2) + std::string(12, 0) + Number(0, 4) + name;
  const std::string end = Number(0x06054b50, 4) + Number(0, 4) + Number(1, 2) + Number(1, 2) +
                          Number(central.size(), 4) + Number(local.size() + packed.size(), 4) +
                          Number(0, 2);
  return local + packed + central + end;
}

}  // namespace

Test(cli_npz, written_arrays_read_back) {
  const TemporaryFolder folder;
  WriteTwoArrays(folder / "x.npz");
  const DatasetPtr a = OpenDataset(folder / "x.npz", "a", 0);
  const DatasetPtr b = OpenDataset(folder / "x.npz", "b", 0);
  cr_assert_eq(a->count(), 4);
  cr_assert(ReadSample<float>(*a, 2) == (std::vector<float>{4, 5}));
  cr_assert(ReadSample<int64_t>(*b, 1) == std::vector<int64_t>{20});
}

Test(cli_npz, writing_leaves_only_the_finished_file) {
  const TemporaryFolder folder;
  WriteTwoArrays(folder / "x.npz");
  cr_assert_eq(folder.Entries(), 1);
}

Test(cli_npz, writer_that_is_not_finished_leaves_nothing) {
  const TemporaryFolder folder;
  {
    NpzWriter writer(folder / "x.npz", {{"a", {INTMILL_F32, {4}}}});
    writer.Append(0, AsBytes(BytesOf<float>({1})));
    cr_assert(Contains(FailureOf([&] { writer.Finish(); }), "fewer elements"));
  }
  cr_assert_eq(folder.Entries(), 0);
}

Test(cli_npz, array_is_found_by_name_or_is_the_only_one) {
  const TemporaryFolder folder;
  WriteTwoArrays(folder / "two.npz");
  const std::string message = FailureOf([&] { OpenNpz(folder / "two.npz", "image"); });
  cr_assert(Contains(message, "'image' among: a.npy, b.npy"));
  folder.Write("one.npz", DeflatedZip(NpyFile<float>({INTMILL_F32, {1}}, {2.5F}), 132));
  cr_assert_eq(OpenNpz(folder / "one.npz", "image")->count(), 1);
}

Test(cli_npz, reads_deflated_arrays) {
  const TemporaryFolder folder;
  const std::string npy = NpyFile<float>({INTMILL_F32, {3}}, {1, 2, 3});
  folder.Write("x.npz", DeflatedZip(npy, npy.size()));
  const DatasetPtr data = OpenNpz(folder / "x.npz", "x");
  cr_assert_eq(data->count(), 3);
  cr_assert(ReadSample<float>(*data, 2) == std::vector<float>{3});
}

Test(cli_npz, refuses_a_size_that_does_not_come_true) {
  const TemporaryFolder folder;
  const std::string npy = NpyFile<float>({INTMILL_F32, {3}}, {1, 2, 3});
  folder.Write("more.npz", DeflatedZip(npy, npy.size() + 1));
  folder.Write("less.npz", DeflatedZip(npy, npy.size() - 1));
  folder.Write("bomb.npz", DeflatedZip(npy, 0xfffffffe));
  cr_assert(Contains(FailureOf([&] { OpenNpz(folder / "more.npz", "x"); }), "'x.npy' is damaged"));
  cr_assert(Contains(FailureOf([&] { OpenNpz(folder / "less.npz", "x"); }), "'x.npy' is damaged"));
  cr_assert(Contains(FailureOf([&] { OpenNpz(folder / "bomb.npz", "x"); }), "damaged .npz"));
}

Test(cli_npz, every_cut_of_a_file_is_refused) {
  const TemporaryFolder folder;
  WriteTwoArrays(folder / "x.npz");
  const std::string file = folder.Read("x.npz");
  for (size_t size = 0; size < file.size(); ++size) {
    const std::string cut = file.substr(0, size);
    cr_assert_neq(FailureOf([&] { ListZip(AsBytes(cut), "x.npz"); }), "", "cut to %zu", size);
  }
}

Test(cli_npz, no_changed_byte_reads_outside) {
  const TemporaryFolder folder;
  WriteTwoArrays(folder / "x.npz");
  const std::string file = folder.Read("x.npz");
  for (size_t i = 0; i < file.size(); ++i) {
    for (const int value : {0, 1, 0x50, 0x7f, 0x80, 0xff}) {
      std::string changed = file;
      changed[i] = static_cast<char>(value);
      FailureOf([&] {
        for (const ZipMember& member : ListZip(AsBytes(changed), "x.npz"))
          if (member.is_deflated) Inflate(member, "x.npz");
      });
    }
  }
}
