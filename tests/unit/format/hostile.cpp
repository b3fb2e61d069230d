// Tests that damaged and hostile files are refused, with a message, and never crash.
#include <criterion/criterion.h>
#include <random>

#include "format/model_generated.h"
#include "unit/format/model.h"

using namespace intmill;

namespace {

Status ReadStatus(const std::string& bytes) { return ReadBytes(bytes).status(); }

// The structure of the small model as FlatBuffers' own API sees it, for changes in place.
format::Model* StructureOf(std::string& bytes) {
  return flatbuffers::GetMutableRoot<format::Model>(bytes.data() + format::kHeaderBytes);
}

template <typename T>
T* RowsIn(const flatbuffers::Vector<const T*>* rows) {
  return reinterpret_cast<T*>(const_cast<uint8_t*>(rows->Data()));
}

}  // namespace

Test(hostile, a_file_cut_off_anywhere_is_refused) {
  const std::string whole = Written(SmallModel());
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const Status status = ReadStatus(whole.substr(0, bytes));
    cr_assert_eq(status.code(), Code::kBadFormat, "%zu bytes", bytes);
    cr_assert_not(status.message().empty());
  }
  cr_expect_eq(ReadStatus(whole + '\0').code(), Code::kBadFormat);
}

Test(hostile, no_changed_byte_goes_unnoticed) {
  const std::string whole = Written(SmallModel());
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    cr_assert_not(ReadStatus(changed).ok(), "byte %zu", i);
  }
}

// Checksums detect damage only: whoever changes a file can compute them anew.
Test(hostile, changes_with_valid_checksums_never_crash) {
  const std::string whole = Written(SmallModel());
  std::mt19937 random(7);
  for (int64_t i = 0; i < 20000; ++i) {
    std::string changed = whole;
    const size_t at = format::kHeaderBytes + random() % (whole.size() - format::kHeaderBytes);
    changed[at] = static_cast<char>(random());
    if (random() % 2 == 0) changed[at + (at + 1 < whole.size() ? 1 : 0)] = '\xff';
    const Result<Graph> read = ReadBytes(Resealed(changed));
    cr_assert(read.ok() || !read.status().message().empty());
  }
}

Test(hostile, a_newer_format_is_named_with_both_versions) {
  std::string bytes = Written(SmallModel());
  bytes[8] = 7;
  const Status status = ReadStatus(bytes);
  cr_expect_eq(status.code(), Code::kBadVersion);
  cr_expect(status.message() ==
            "the file has format version 7, this release of intmill reads up to 1");
}

Test(hostile, unknown_flags_are_refused) {
  std::string bytes = Written(SmallModel());
  format::Header header = *format::DecodeHeader(std::as_bytes(std::span(bytes)));
  header.flags = 4;
  const auto encoded = format::EncodeHeader(header);
  std::memcpy(bytes.data(), encoded.data(), encoded.size());
  cr_expect_eq(ReadStatus(bytes).code(), Code::kBadVersion);
}

Test(hostile, a_newer_form_of_operators_is_refused) {
  std::string bytes = Written(SmallModel());
  auto* opset = reinterpret_cast<flatbuffers::Table*>(StructureOf(bytes))
                    ->GetAddressOf(format::Model::VT_OPSET);
  const uint32_t newer = 99;
  std::memcpy(opset, &newer, sizeof(newer));
  cr_expect_eq(ReadStatus(Resealed(bytes)).code(), Code::kBadVersion);
}

Test(hostile, unknown_operators_are_listed) {
  std::string bytes = Written(SmallModel());
  const size_t at = bytes.find("Relu");
  cr_assert_neq(at, std::string::npos);
  bytes.replace(at, 4, "Rule");
  const Status status = ReadStatus(Resealed(bytes));
  cr_expect_eq(status.code(), Code::kUnsupported);
  cr_expect(status.message() == "operators that are not supported: Rule");
}

Test(hostile, a_constant_must_fill_its_section_exactly) {
  std::string bytes = Written(SmallModel());
  auto* values = RowsIn(StructureOf(bytes)->values());
  values[1] = format::ValueRow(static_cast<int32_t>(DType::kS64), 1, 0, 0);
  const Status status = ReadStatus(Resealed(bytes));
  cr_expect(status.message() == "value 'c': section 0 has 16 bytes, 32 wanted for s64 4");
}

Test(hostile, sections_that_do_not_exist_are_refused) {
  for (const int32_t section : {-2, 1, INT32_MAX}) {
    std::string bytes = Written(SmallModel());
    auto* values = RowsIn(StructureOf(bytes)->values());
    values[1] = format::ValueRow(static_cast<int32_t>(DType::kF32), 1, 0, section);
    cr_expect_eq(ReadStatus(Resealed(bytes)).code(), Code::kBadFormat);
  }
}

Test(hostile, overlapping_sections_are_refused) {
  std::string bytes = Written(SmallModel());
  auto* sections = RowsIn(StructureOf(bytes)->sections());
  sections[0] = format::SectionRow(UINT64_MAX - 63, 16, sections[0].hash());
  cr_expect_eq(ReadStatus(Resealed(bytes)).code(), Code::kBadFormat);
}

// The verifier lets a vector of 8-byte elements begin at any multiple of 4.
Test(hostile, misaligned_rows_are_refused) {
  std::string bytes = Written(SmallModel());
  uint8_t* const field = reinterpret_cast<flatbuffers::Table*>(StructureOf(bytes))
                             ->GetAddressOf(format::Model::VT_SECTIONS);
  uint32_t distance = 0;
  std::memcpy(&distance, field, sizeof(distance));
  distance += 4;
  std::memcpy(field, &distance, sizeof(distance));
  const uint32_t rows = 1;
  std::memcpy(field + distance, &rows, sizeof(rows));
  cr_expect(ReadStatus(Resealed(bytes)).message() == "the sections are misaligned");
}

Test(hostile, values_that_do_not_exist_are_refused) {
  for (const int32_t id : {-2, 4, INT32_MAX, INT32_MIN}) {
    for (const int64_t place : {0, 1, 2, 4}) {
      std::string bytes = Written(SmallModel());
      auto* ids = const_cast<int32_t*>(StructureOf(bytes)->ids()->data());
      ids[place] = id;
      cr_expect_eq(ReadStatus(Resealed(bytes)).code(), Code::kBadFormat);
    }
  }
}

Test(hostile, counts_beyond_the_pools_are_refused) {
  std::string bytes = Written(SmallModel());
  auto* nodes = RowsIn(StructureOf(bytes)->nodes());
  nodes[0] = format::NodeRow(0, UINT32_MAX, 1);
  cr_expect_eq(ReadStatus(Resealed(bytes)).code(), Code::kBadFormat);
}

Test(hostile, a_bool_is_zero_or_one) {
  Graph graph = SmallModel();
  Tensor flag = *Tensor::Make(DType::kBool, {1});
  flag.mutable_data<uint8_t>()[0] = 2;
  graph.AddConstant("flag", flag);
  cr_expect(ReadStatus(Written(graph)).message() == "value 'flag': a bool is neither 0 nor 1");
}
