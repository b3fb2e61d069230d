// Certificates: what a replay finds when nothing changed, and when the model is not what it was.
#include "quant/certify.h"

#include <cmath>

#include "ir/digest.h"
#include "quant/quantize_graph.h"
#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

constexpr int64_t kChannels = 8;

std::shared_ptr<const Graph> Network() {
  GraphMaker g;
  ValueId x = g.Input("x", {kDynamic, kChannels, 5, 5});
  for (int i = 0; i < 3; ++i) {
    const std::string name = "conv" + std::to_string(i);
    const ValueId w =
        g.Random(name + "_w", {kChannels, kChannels, 1, 1}, static_cast<unsigned>(i) + 1);
    x = g.Node("Relu", {g.Node("Conv", {x, w}, name)}, name + "_act");
  }
  x = g.Node("Flatten", {x}, "flat");
  g.Output(g.Node("Gemm", {x, g.Random("dense_w", {kChannels * 25, 10}, 9)}, "dense"));
  return std::make_shared<const Graph>(std::move(g.graph));
}

Tensor Batch(int64_t rows, unsigned seed, float factor = 1) {
  Tensor x = *Tensor::Make(DType::kF32, {rows, kChannels, 5, 5});
  const auto values = Normal(static_cast<int>(x.elements()), seed, factor);
  std::copy(values.begin(), values.end(), x.mutable_data<float>());
  return x;
}

// Calibrated with values `factor` times as large as those it will see.
std::shared_ptr<const Graph> Quantized(const std::shared_ptr<const Graph>& graph, float factor) {
  auto calibrator = Calibrator::Create(graph, {}, {});
  cr_assert(calibrator.ok());
  const Tensor x = Batch(16, 3, factor);
  cr_assert((*calibrator)->Feed({&x, 1}).ok());
  Result<Graph> quantized = QuantizeGraph(*graph, calibrator->get(), {}, {});
  cr_assert(quantized.ok(), "%s", quantized.status().message().c_str());
  return std::make_shared<const Graph>(*std::move(quantized));
}

Graph Certified(const std::shared_ptr<const Graph>& graph,
                const std::shared_ptr<const Graph>& candidate) {
  auto certifier = Certifier::Create(graph, candidate, {});
  cr_assert(certifier.ok(), "%s", certifier.status().message().c_str());
  const Tensor x = Batch(24, 5);
  cr_assert((*certifier)->Feed({&x, 1}, {}).ok());
  return *(*certifier)->Certify(*candidate, "1.2.3");
}

Table Replayed(Graph graph, std::vector<int64_t> portions = {24}) {
  auto replay = CertificateReplay::Create(std::make_shared<const Graph>(std::move(graph)), {});
  cr_assert(replay.ok(), "%s", replay.status().message().c_str());
  const Tensor all = Batch(24, 5);
  const int64_t row = kChannels * 25;
  int64_t begin = 0;
  for (const int64_t rows : portions) {
    Tensor x = *Tensor::Make(DType::kF32, {rows, kChannels, 5, 5});
    std::copy_n(all.data<float>() + begin * row, rows * row, x.mutable_data<float>());
    cr_assert((*replay)->Feed({&x, 1}, {}).ok());
    begin += rows;
  }
  return (*replay)->Rows();
}

int Broken(const Table& rows) {
  return static_cast<int>(std::count_if(rows.rows.begin(), rows.rows.end(), [](const auto& row) {
    return row[4] == Table::Cell(int64_t{0});
  }));
}

}  // namespace

Test(certify, an_unchanged_model_holds_whatever_the_batches) {
  const auto graph = Network();
  const Graph certified = Certified(graph, Quantized(graph, 1));
  const Table rows = Replayed(certified);
  cr_assert_eq(Broken(rows), 0, "%s", ToJson(rows).c_str());
  cr_assert_eq(rows.rows.size(), 8, "%s", ToJson(rows).c_str());
  for (const auto& row : rows.rows) cr_expect(row[2] == row[3], "%s", ToJson(rows).c_str());
  cr_assert_eq(Broken(Replayed(certified, {7, 16, 1})), 0);
}

Test(certify, layers_are_named_with_what_they_lost) {
  const auto graph = Network();
  const Certificate c = *ReadCertificate(Certified(graph, Quantized(graph, 1)));
  cr_assert_eq(c.layers.size(), 4);
  for (const Certificate::Figure& f : c.layers) {
    cr_expect_gt(f.sqnr_db, 25, "%s %g", f.name.c_str(), f.sqnr_db);
    cr_expect_lt(f.sqnr_db, 60, "%s %g", f.name.c_str(), f.sqnr_db);
  }
  cr_assert_eq(c.reference, DigestOf(*graph));
  cr_assert_eq(c.version, "1.2.3");
  cr_assert_eq(c.rows, 24);
}

Test(certify, a_model_that_is_worse_than_recorded_does_not_hold) {
  const auto graph = Network();
  Certificate claim = *ReadCertificate(Certified(graph, Quantized(graph, 1)));
  Graph worse = *Quantized(graph, 12);
  claim.model = DigestOf(worse);
  WriteCertificate(claim, worse);
  const Table rows = Replayed(worse);
  // Every output and layer, as all of them lost precision.
  cr_assert_geq(Broken(rows), 5, "%s", ToJson(rows).c_str());
}

Test(certify, a_certificate_of_another_model_is_refused) {
  const auto graph = Network();
  const Certificate claim = *ReadCertificate(Certified(graph, Quantized(graph, 1)));
  auto other = std::make_shared<Graph>(*Quantized(graph, 2));
  WriteCertificate(claim, *other);
  const auto replay = CertificateReplay::Create(other, {});
  cr_assert(!replay.ok());
  cr_assert_eq(replay.status().code(), Code::kBadFormat);
}

Test(certify, names_may_hold_any_character) {
  const auto graph = Network();
  Graph certified = Certified(graph, Quantized(graph, 1));
  Certificate c = *ReadCertificate(certified);
  for (const char* name : {"", " ", "two\nlines", "layer 1 1 1 AAAA 4 name\n"}) {
    c.layers[1].name = name;
    WriteCertificate(c, certified);
    const auto read = ReadCertificate(certified);
    cr_assert(read.ok(), "%s", read.status().message().c_str());
    cr_assert_eq(read->layers.size(), c.layers.size());
    cr_assert_eq(read->layers[1].name, name);
  }
}

Test(certify, answers_take_the_bits_that_the_largest_needs) {
  Graph graph = Certified(Network(), Quantized(Network(), 1));
  Certificate c = *ReadCertificate(graph);
  for (const int32_t largest : {0, 1, 9, 1000, (1 << 30) - 1}) {
    for (size_t i = 0; i < c.answers.size(); ++i)
      c.answers[i] = i % 3 == 0 ? largest : static_cast<int32_t>(i) % (largest + 1);
    WriteCertificate(c, graph);
    cr_expect(ReadCertificate(graph)->answers == c.answers, "%d", largest);
  }
}

// Only digests and names can be any characters; the last line says what measured, and is as free.
Test(certify, a_damaged_certificate_is_refused) {
  const Graph certified = Certified(Network(), Quantized(Network(), 1));
  const std::string text = certified.metadata.at(kCertificateKey);
  const Certificate c = *ReadCertificate(certified);
  size_t free = 3 * c.model.size();
  for (const auto* figures : {&c.outputs, &c.layers})
    for (const Certificate::Figure& f : *figures) free += f.name.size();

  Graph damaged = certified;
  std::string& value = damaged.metadata[kCertificateKey];
  size_t accepted = 0;
  for (size_t at = 0; at <= text.rfind("by "); ++at) {
    value = text.substr(0, at);
    const auto cut = ReadCertificate(damaged);
    cr_expect(!cut.ok() && cut.status().code() != Code::kState, "cut at %zu", at);
    if (at == text.rfind("by ")) break;
    value = text;
    value[at] = '!';
    accepted += ReadCertificate(damaged).ok() ? 1 : 0;
  }
  cr_assert_eq(accepted, free);
}
