// A quantized model gives the same bits whatever instruction sets it may use. Products of
// full-range weights with full-range activations, whose sums of adjacent pairs overflow 16 bits,
// are the hard case: without VNNI the obvious instruction saturates there. Each limit gets a
// process of its own, because libraries decide once which code they generate.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string_view>

#include "base/cpu.h"
#include "format/format.h"
#include "import/load.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "kernels/onednn/runtime.h"
#include "quant/quantize_graph.h"
#include "session/session.h"
#include "support/isolated.h"
#include "support/models.h"
#include "support/shared_data.h"
#include "unit/temporary_folder.h"

namespace intmill::test {
namespace {

namespace fs = std::filesystem;

constexpr int kSeconds = 300;

struct Limit {
  const char* variable;  // null: intmill's own limit, `isa`
  const char* value;
  Isa isa = Isa::kAll;
};
// The first is what the others must equal.
constexpr Limit kLimits[] = {
    {"ONEDNN_MAX_CPU_ISA", "DEFAULT"},
    {"ONEDNN_MAX_CPU_ISA", "SSE41"},
    {"ONEDNN_MAX_CPU_ISA", "AVX2"},
    {"ONEDNN_MAX_CPU_ISA", "AVX512_CORE"},
    {"ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI"},
    {nullptr, "baseline", Isa::kBaseline},
    {nullptr, "avx2", Isa::kAvx2},
    {nullptr, "avx512", Isa::kAvx512},
    {nullptr, "avx512_vnni", Isa::kAvx512Vnni},
};

// Every weight is one scale step from 127 or is -127, so that quantized ones use the whole range.
Tensor Extremes(Shape shape, std::mt19937& random) {
  Tensor tensor = *Tensor::Make(DType::kF32, std::move(shape));
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.mutable_data<float>()[i] = random() % 4 == 0 ? -1.0f : 1.0f - 1.0f / 128;
  return tensor;
}

struct Layer {
  const char* name;
  int64_t out;     // channels
  int64_t kernel;  // height and width
  int64_t stride;
  int64_t group;
};
// Depths and widths around what kernels split into blocks.
constexpr Layer kLayers[] = {
    {"first", 24, 3, 2, 1},         {"pointwise", 40, 1, 1, 1}, {"depthwise", 40, 3, 1, 40},
    {"grouped", 32, 3, 1, 4},       {"wide", 72, 3, 1, 1},      {"depthwise5", 72, 5, 2, 72},
    {"pointwise_two", 64, 1, 2, 1}, {"last", 20, 3, 1, 1},
};

Result<Graph> FullRange() {
  std::mt19937 random(7);
  Graph graph;
  ValueId x = graph.AddValue("x", DType::kF32, Shape{1, 3, 33, 31});
  graph.inputs.push_back(x);
  int64_t channels = 3;
  for (const Layer& layer : kLayers) {
    const std::string name = layer.name;
    const ValueId w = graph.AddConstant(
        name + "_w",
        Extremes({layer.out, channels / layer.group, layer.kernel, layer.kernel}, random));
    const ValueId y = graph.AddValue(name);
    Node& conv = graph.AddNode(name, FindOp("Conv"), {x, w}, {y});
    const int64_t pad = layer.kernel / 2;
    conv.attrs.Set("group", layer.group);
    conv.attrs.Set("strides", std::vector<int64_t>{layer.stride, layer.stride});
    conv.attrs.Set("pads", std::vector<int64_t>{pad, pad, pad, pad});
    TRY(InferNode(graph, conv));
    channels = layer.out;
    x = y;
  }
  const ValueId flat = graph.AddValue("flat");
  TRY(InferNode(graph, graph.AddNode("flat", FindOp("Flatten"), {x}, {flat})));
  const int64_t depth = (*graph.value(flat).shape)[1];
  const ValueId w = graph.AddConstant("fc_w", Extremes({depth, 37}, random));
  const ValueId y = graph.AddValue("fc");
  TRY(InferNode(graph, graph.AddNode("fc", FindOp("Gemm"), {flat, w}, {y})));
  graph.outputs.push_back(y);
  return graph;
}

// One layer of attention, four heads of eight elements on 29 tokens, between products.
class AttentionMaker {
 public:
  Result<Graph> Make() {
    const ValueId x = graph_.AddValue("x", DType::kF32, Shape{1, kTokens, kWidth});
    graph_.inputs.push_back(x);
    const ValueId q = Heads(Project(x, "q"), "q", {0, 2, 1, 3});
    const ValueId k = Heads(Project(x, "k"), "k", {0, 2, 3, 1});
    const ValueId v = Heads(Project(x, "v"), "v", {0, 2, 1, 3});
    const ValueId scale = graph_.AddConstant("scale", *Tensor::Scalar(0.02f));
    const ValueId scores = Add("Mul", {Add("MatMul", {q, k}, "scores"), scale}, "scaled");
    const ValueId seen = Add("MatMul", {Add("Softmax", {scores}, "weights"), v}, "seen");
    const ValueId rows = Add("Transpose", {seen}, "rows");
    graph_.nodes.back().attrs.Set("perm", std::vector<int64_t>{0, 2, 1, 3});
    const ValueId flat = Add("Reshape", {rows, Ints("flat_shape", {1, kTokens, kWidth})}, "flat");
    graph_.outputs.push_back(Project(flat, "out"));
    TRY(InferShapes(graph_));
    return std::move(graph_);
  }

 private:
  static constexpr int64_t kTokens = 29;
  static constexpr int64_t kWidth = 32;

  ValueId Add(const char* op, std::vector<ValueId> inputs, const std::string& name) {
    const ValueId y = graph_.AddValue(name);
    graph_.AddNode(name, FindOp(op), std::move(inputs), {y});
    return y;
  }
  ValueId Ints(const std::string& name, const std::vector<int64_t>& values) {
    return graph_.AddConstant(name, *Tensor::Of(std::span<const int64_t>(values)));
  }
  ValueId Project(ValueId x, const std::string& name) {
    return Add("MatMul", {x, graph_.AddConstant(name + "_w", Extremes({kWidth, kWidth}, random_))},
               name);
  }
  ValueId Heads(ValueId x, const std::string& name, std::vector<int64_t> order) {
    const ValueId heads =
        Add("Reshape", {x, Ints(name + "_shape", {1, kTokens, 4, kWidth / 4})}, name + "_heads");
    const ValueId turned = Add("Transpose", {heads}, name + "_turned");
    graph_.nodes.back().attrs.Set("perm", std::move(order));
    return turned;
  }

  Graph graph_;
  std::mt19937 random_{11};
};

Result<Graph> Quantized(Graph loaded, const std::vector<Tensor>& inputs, DType activations) {
  if (IsQuantized(loaded)) return loaded;
  const auto graph = std::make_shared<const Graph>(std::move(loaded));
  SchemeTable schemes;
  schemes.Add("", [=](LayerScheme& scheme) { scheme.activation_dtype = activations; });
  ASSIGN_OR_RETURN(const std::unique_ptr<Calibrator> calibrator,
                   Calibrator::Create(graph, schemes, {}));
  TRY(calibrator->Feed(inputs));
  return QuantizeGraph(*graph, calibrator.get(), schemes, {});
}

constexpr std::string_view kWords = "full_range_int16";

// Models whose quantized form computes in integers from the first layer to the last, the same for
// every limit: float kernels calibrate them once, and they differ. "" or what is wrong.
std::string Prepare(const fs::path& folder) {
  Result<Graph> full = FullRange();
  if (!full.ok()) return full.status().message();
  std::vector<std::pair<std::string, Result<Graph>>> graphs;
  graphs.emplace_back("full_range", std::move(full));
  graphs.emplace_back(kWords, FullRange());
  graphs.emplace_back("attention", AttentionMaker().Make());
  const std::string shared = SharedFolder();
  for (const Expectation& expectation : ReadExpectations()) {
    const bool whole = expectation.model.starts_with("resnet20") ||
                       expectation.model.starts_with("mobilenet_v1_0.25_224_quant") ||
                       expectation.model.starts_with("mlptiny_vww_96_int8");
    if (shared.empty() || !whole) continue;
    LoadOptions options;
    options.dims = expectation.dims;
    graphs.emplace_back(expectation.model,
                        LoadModel(shared + "/models/onnx/" + expectation.model, options));
  }
  for (auto& [name, graph] : graphs) {
    if (!graph.ok()) return graph.status().message();
    const Result<std::vector<Tensor>> inputs = RandomInputs(*graph, {});
    if (!inputs.ok()) return inputs.status().message();
    const DType activations = name == kWords ? DType::kS16 : DType::kU8;
    const Result<Graph> quantized = Quantized(std::move(*graph), *inputs, activations);
    if (!quantized.ok()) return quantized.status().message();
    const Status saved = WriteModel(*quantized, (folder / (name + ".im")).string());
    if (!saved.ok()) return saved.message();
  }
  return "";
}

// A hash of the outputs of a quantized model.
Result<std::string> OutputBits(const std::string& path) {
  ASSIGN_OR_RETURN(Graph graph, LoadModel(path, {}));
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, RandomInputs(graph, {}));
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const Session> session,
      Session::Create(std::make_shared<const Graph>(std::move(graph)), SessionOptions{}));
  std::vector<Tensor> outputs(session->graph().outputs.size());
  TRY(session->Run(inputs, outputs));
  uint64_t bits = 0;
  for (const Tensor& output : outputs) {
    const auto bytes = static_cast<size_t>(NumBytes(output.shape(), output.dtype()));
    bits = bits * 31 + std::hash<std::string_view>()({output.data<char>(), bytes});
  }
  return std::to_string(bits);
}

std::string AllBits(const fs::path& folder, const Limit& limit) {
  if (limit.variable != nullptr) {
    setenv(limit.variable, limit.value, 1);
  } else if (const Status set = SetIsaLimit(limit.isa); !set.ok()) {
    return set.message();
  }
  std::set<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    files.insert(entry.path());
  std::string text;
  for (const fs::path& file : files) {
    const Result<std::string> bits = OutputBits(file.string());
    text += Cat(file.stem().string(), " ", bits.ok() ? *bits : bits.status().message(), "\n");
  }
  return text;
}

int Main() {
  const TemporaryFolder folder;
  const Isolated prepared = RunIsolated(kSeconds, [&] { return Prepare(folder.path()); });
  if (!prepared.finished || !prepared.text.empty()) {
    std::printf("FAIL quantizing: %s%s\n", prepared.failure.c_str(), prepared.text.c_str());
    return 1;
  }
  std::string wanted;
  int failures = 0;
  for (const Limit& limit : kLimits) {
    const Isolated run = RunIsolated(kSeconds, [&] { return AllBits(folder.path(), limit); });
    if (wanted.empty()) wanted = run.text;
    const bool same = run.finished && run.text == wanted;
    std::printf("%s %s %s%s\n", same ? "ok  " : "FAIL",
                limit.variable != nullptr ? limit.variable : "isa limit", limit.value,
                same ? "" : (": " + run.failure + run.text + "\nwanted: " + wanted).c_str());
    failures += same ? 0 : 1;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main() { return intmill::test::Main(); }
