// Statistics in files: shards add up to the same bytes as one run, and no file is trusted.
#include "quant/statistics_set.h"

#include <fstream>
#include <iterator>
#include <numeric>

#include "base/digest.h"
#include "ir/digest.h"
#include "quant/calibrate.h"
#include "quant/quantize_graph.h"
#include "unit/quant/graphs.h"
#include "unit/temporary_folder.h"

using namespace intmill;

namespace {

constexpr int64_t kChannels = 3;

std::shared_ptr<const Graph> Model(float extra = 0) {
  GraphMaker g;
  ValueId x = g.Conv(g.Input("x", {kDynamic, kChannels, 4, 4}), kChannels, "a");
  x = g.Node("Relu", {x}, "relu");
  x = g.Conv(x, kChannels, "b");
  g.Output(g.Node("Add", {x, g.Constant("c", {1}, {extra})}, "y"));
  return std::make_shared<const Graph>(std::move(g.graph));
}

std::unique_ptr<Calibrator> Make(std::shared_ptr<const Graph> graph = Model()) {
  Result<std::unique_ptr<Calibrator>> made = Calibrator::Create(std::move(graph), {}, {});
  cr_assert(made.ok(), "%s", made.status().message().c_str());
  return *std::move(made);
}

void Feed(Calibrator& calibrator, unsigned seed) {
  Tensor x = *Tensor::Make(DType::kF32, {2, kChannels, 4, 4});
  const auto values = Normal(static_cast<int>(x.elements()), seed,
                             std::ldexp(1.0f, static_cast<int>(seed * 7 % 9) - 4));
  std::copy(values.begin(), values.end(), x.mutable_data<float>());
  if (seed % 5 == 0) x.mutable_data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  cr_assert(calibrator.Feed({&x, 1}).ok());
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string Save(const StatisticsSet& set, const std::string& path) {
  const Status written = WriteStatistics(set, path);
  cr_assert(written.ok(), "%s", written.message().c_str());
  return ReadAll(path);
}

// With the checksum that belongs to the content.
std::string Sealed(std::string bytes) {
  Digest digest;
  digest.Add(std::as_bytes(std::span(bytes)).subspan(32));
  const auto sum = digest.Get();
  std::copy_n(reinterpret_cast<const char*>(sum.data()), sum.size(), bytes.begin() + 16);
  return bytes;
}

StatisticsSet Sample() {
  const auto calibrator = Make();
  for (unsigned i = 0; i < 4; ++i) Feed(*calibrator, i);
  return calibrator->Statistics();
}

}  // namespace

Test(statistics_set, a_hundred_partitions_and_orders_give_the_same_bytes) {
  const TemporaryFolder folder;
  constexpr unsigned kBatches = 12;
  const auto graph = Model();
  const auto whole = Make(graph);
  std::vector<StatisticsSet> batches;
  for (unsigned i = 0; i < kBatches; ++i) {
    Feed(*whole, i);
    const auto one = Make(graph);
    Feed(*one, i);
    batches.push_back(one->Statistics());
  }
  const std::string wanted = Save(whole->Statistics(), folder / "whole.imstat");
  const StatisticsSet empty = Make(graph)->Statistics();
  for (unsigned trial = 0; trial < 100; ++trial) {
    std::mt19937 random(trial);
    std::vector<size_t> order(kBatches);
    std::iota(order.begin(), order.end(), size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    std::vector<StatisticsSet> shards(1 + random() % 16, empty);
    for (const size_t i : order) cr_assert(shards[random() % shards.size()].Merge(batches[i]).ok());
    std::shuffle(shards.begin(), shards.end(), random);
    StatisticsSet sum = empty;
    for (size_t i = 0; i < shards.size(); ++i) {
      // Some of them take the way through a file.
      if (i % 3 == 0) {
        Save(shards[i], folder / "shard.imstat");
        shards[i] = *ReadStatistics(folder / "shard.imstat");
      }
      cr_assert(sum.Merge(shards[i]).ok());
    }
    cr_assert(Save(sum, folder / "sum.imstat") == wanted, "trial %u", trial);
  }
}

Test(statistics_set, what_is_read_is_what_was_written) {
  const TemporaryFolder folder;
  const StatisticsSet set = Sample();
  Save(set, folder / "s.imstat");
  const Result<StatisticsSet> read = ReadStatistics(folder / "s.imstat");
  cr_assert(read.ok(), "%s", read.status().message().c_str());
  cr_assert_eq(read->samples, 8);
  cr_assert(read->model == set.model);
  cr_assert(read->values == set.values);
}

Test(statistics_set, quantizes_as_the_calibration_itself_does) {
  const TemporaryFolder folder;
  const auto calibrator = Make();
  for (unsigned i = 0; i < 4; ++i) Feed(*calibrator, i);
  Save(calibrator->Statistics(), folder / "s.imstat");
  const auto loaded = *Calibrator::FromStatistics(*ReadStatistics(folder / "s.imstat"), {});
  const Result<Graph> a = QuantizeGraph(*Model(), calibrator.get(), {}, {});
  const Result<Graph> b = QuantizeGraph(*Model(), loaded.get(), {}, {});
  cr_assert(a.ok() && b.ok());
  cr_assert(DigestOf(*a) == DigestOf(*b));
  cr_assert(a->metadata == b->metadata);
  const Tensor x = *Tensor::Make(DType::kF32, {2, kChannels, 4, 4});
  cr_assert_eq(loaded->Feed({&x, 1}).code(), Code::kState);
}

Test(statistics_set, another_model_is_refused) {
  StatisticsSet set = Sample();
  const StatisticsSet before = set;
  const auto other = Make(Model(0.5f));
  Feed(*other, 1);
  cr_assert_eq(set.Merge(other->Statistics()).code(), Code::kInvalidArgument);
  cr_assert(set.values == before.values);
}

Test(statistics_set, a_model_is_the_same_with_other_metadata_and_batch) {
  Graph graph = *Model();
  const std::string digest = DigestOf(graph);
  graph.metadata["note"] = "text";
  graph.value(graph.inputs[0]).shape = Shape{1, kChannels, 4, 4};
  cr_assert(DigestOf(graph) == digest);
  graph.nodes[0].name = "other";
  cr_assert(DigestOf(graph) != digest);
}

Test(statistics_set, a_damaged_byte_is_noticed) {
  const TemporaryFolder folder;
  const std::string path = folder / "s.imstat";
  const std::string good = Save(Sample(), path);
  for (size_t i = 0; i < good.size(); i += 1 + i / 40) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    WriteAll(path, bad);
    const Status status = ReadStatistics(path).status();
    cr_assert(status.code() == Code::kBadFormat || status.code() == Code::kBadVersion, "byte %zu",
              i);
    cr_assert(status.message().starts_with(path));
  }
}

Test(statistics_set, a_cut_file_is_refused_even_with_a_fitting_checksum) {
  const TemporaryFolder folder;
  const std::string path = folder / "s.imstat";
  const std::string good = Save(Sample(), path);
  for (size_t n = 0; n < good.size(); n += 1 + n / 50) {
    WriteAll(path, n < 32 ? good.substr(0, n) : Sealed(good.substr(0, n)));
    cr_assert_eq(ReadStatistics(path).status().code(), Code::kBadFormat, "%zu bytes", n);
  }
  WriteAll(path, Sealed(good + "x"));
  cr_assert_eq(ReadStatistics(path).status().code(), Code::kBadFormat);
}

// Whatever the bytes say, reading ends with an answer, and what was accepted can be used.
Test(statistics_set, hostile_content_with_a_fitting_checksum_is_refused_or_usable) {
  const TemporaryFolder folder;
  const std::string path = folder / "s.imstat";
  const std::string good = Save(Sample(), path);
  int refused = 0;
  for (unsigned trial = 0; trial < 2000; ++trial) {
    std::mt19937 random(trial);
    std::string bad = good;
    for (unsigned i = 0; i < 1 + trial % 3; ++i)
      bad[32 + random() % (bad.size() - 32)] = static_cast<char>(random());
    WriteAll(path, Sealed(bad));
    Result<StatisticsSet> read = ReadStatistics(path);
    if (!read.ok()) {
      ++refused;
      continue;
    }
    StatisticsSet twice = *read;
    cr_assert(twice.Merge(*read).ok());
    for (const Calibration method : {Calibration::kAverage, Calibration::kEntropy}) {
      SchemeTable schemes;
      schemes.Add("", [&](LayerScheme& s) { s.calibration = method; });
      const auto calibrator = *Calibrator::FromStatistics(twice, schemes);
      cr_assert_eq(calibrator->Ranges().rows.size(), read->values.size());
    }
  }
  cr_assert_gt(refused, 1000);
}

Test(statistics_set, other_files_are_named_as_such) {
  const TemporaryFolder folder;
  WriteAll(folder / "text", std::string(100, 'a'));
  const Status status = ReadStatistics(folder / "text").status();
  cr_assert_eq(status.code(), Code::kBadFormat);
  cr_assert(status.message().ends_with("is not a file of calibration statistics"), "%s",
            status.message().c_str());
  cr_assert_eq(ReadStatistics(folder / "missing").status().code(), Code::kIo);
  std::string newer = Save(Sample(), folder / "s.imstat");
  newer[8] = 2;
  WriteAll(folder / "newer", newer);
  cr_assert_eq(ReadStatistics(folder / "newer").status().code(), Code::kBadVersion);
}
