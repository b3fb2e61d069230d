// Tests that files of every released format version still load, and mean what they meant.
#include <algorithm>
#include <criterion/criterion.h>
#include <numeric>

#include "format/model_generated.h"
#include "ir/print.h"
#include "support/graphs.h"
#include "support/shared_data.h"
#include "unit/format/model.h"

using namespace intmill;
using namespace intmill::test;

namespace {

Graph ReadGolden(const std::string& name) {
  const Result<BlobPtr> file = MapFile(RepositoryFolder() + "/tests/golden/format/" + name);
  cr_assert(file.ok(), "%s", file.status().message().c_str());
  Result<Graph> graph = ReadModel(*file);
  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  return *std::move(graph);
}

double SumOf(const Tensor& t) {
  const std::span<const float> values = t.values<float>();
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

Test(golden, a_file_of_format_version_1_loads) {
  const Graph graph = ReadGolden("version_1.im");
  const char* const kLines[] = {
      "input image: f32 ?x2x4x4",
      "QuantizeLinear: u8 ?x2x4x4 = QuantizeLinear 'QuantizeLinear' (image, "
      "constant: f32 scalar constant, constant_1: u8 scalar constant)",
      "DequantizeLinear: f32 ?x2x4x4 = DequantizeLinear 'DequantizeLinear' (QuantizeLinear, "
      "constant_2: f32 scalar constant, constant_3: u8 scalar constant)",
      "DequantizeLinear_1: f32 3x2x1x1 = DequantizeLinear 'DequantizeLinear_1' ("
      "constant_4: s8 3x2x1x1 constant, constant_5: f32 3 constant, constant_6: s8 3 constant) "
      "axis=0",
      "Conv: f32 ?x3x4x4 = Conv 'Conv' (DequantizeLinear, DequantizeLinear_1, "
      "constant_7: f32 3 constant) auto_pad=\"NOTSET\" pads=0,0,0,0",
      "LeakyRelu: f32 ?x3x4x4 = LeakyRelu 'LeakyRelu' (Conv) alpha=0.250000",
      "Clip: f32 ?x3x4x4 = Clip 'Clip' (LeakyRelu, -, constant_8: f32 scalar constant)",
      "Concat: f32 ?x6x4x4 = Concat 'Concat' (LeakyRelu, Clip) axis=1",
      "output Clip",
      "output Concat",
  };
  std::string wanted;
  for (const char* line : kLines) wanted += Cat(line, '\n');
  cr_expect(Print(graph) == wanted, "%s", Print(graph).c_str());
  const std::map<std::string, std::string> metadata = {{"source.file", "golden.onnx"},
                                                       {"note", "format version 1"}};
  cr_expect(graph.metadata == metadata);
  cr_expect(graph.value(graph.inputs[0]).dim_names ==
            std::vector<std::string>({"batch", "", "height", ""}));
}

Test(golden, a_file_of_format_version_1_computes_what_it_did) {
  const auto outputs = Interpret(ReadGolden("version_1.im"), {RandomTensor({1, 2, 4, 4}, 5)});
  cr_assert(outputs.ok(), "%s", outputs.status().message().c_str());
  cr_assert_eq(outputs->size(), 2);
  // Sums of a few dozen floats that a converter or a compiler may round once more.
  cr_expect_float_eq(SumOf((*outputs)[0]), 7.83042908, 1e-5);
  cr_expect_float_eq(SumOf((*outputs)[1]), 17.6378479, 1e-5);
}

// Beside the header's checksums, only the producer's version may differ from release to release.
Test(golden, writing_format_version_1_has_not_changed) {
  const Result<BlobPtr> file = MapFile(RepositoryFolder() + "/tests/golden/format/version_1.im");
  cr_assert(file.ok());
  const auto body = [](std::string bytes) {
    auto* model =
        flatbuffers::GetMutableRoot<flatbuffers::Table>(bytes.data() + format::kHeaderBytes);
    std::memset(model->GetAddressOf(format::Model::VT_PRODUCER), 0, sizeof(uint32_t));
    return bytes.substr(format::kHeaderBytes);
  };
  const std::span<const std::byte> bytes = (*file)->bytes();
  const std::string golden(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  cr_expect(body(Written(ReadGolden("version_1.im"))) == body(golden));
}
