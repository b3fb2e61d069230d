// The table of passes and the two orders in which they run.
#include "passes/pipeline.h"

#include <algorithm>
#include <chrono>

#include "base/checked.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "passes/pass.h"

namespace intmill {
namespace {

Result<int64_t> PrunePass(Graph& graph, PassContext&) {
  const auto before = static_cast<int64_t>(graph.nodes.size());
  Prune(graph);
  return before - static_cast<int64_t>(graph.nodes.size());
}

constexpr bool kKeepsShapes = true;

constexpr Pass kFlattenMatMul = {"flatten_matmul", FlattenMatMul};
constexpr Pass kFoldBf16 = {"fold_bf16", FoldBf16};
constexpr Pass kFoldConstants = {"fold_constants", FoldConstants};
constexpr Pass kFoldShapes = {"fold_shapes", FoldShapes};
constexpr Pass kRemoveIdentity = {"remove_identity", RemoveIdentity};
constexpr Pass kFuseActivations = {"fuse_activations", FuseActivations, kKeepsShapes};
constexpr Pass kFuseAttention = {"fuse_attention", FuseAttention};
constexpr Pass kFuseBatchNorm = {"fuse_batch_norm", FuseBatchNorm};
constexpr Pass kFuseBias = {"fuse_bias", FuseBias};
constexpr Pass kFuseCurves = {"fuse_curves", FuseCurves};
constexpr Pass kFuseLayerNorm = {"fuse_layer_norm", FuseLayerNorm};
constexpr Pass kFusePad = {"fuse_pad", FusePad};
constexpr Pass kFuseQuantize = {"fuse_quantize", FuseQuantize};
constexpr Pass kFuseResidualAdd = {"fuse_residual_add", FuseResidualAdd, kKeepsShapes};
constexpr Pass kFuseSoftmax = {"fuse_softmax", FuseSoftmax};
constexpr Pass kFuseTable = {"fuse_table", FuseTable};
constexpr Pass kFoldDynamic = {"fold_dynamic", FoldDynamic};
constexpr Pass kFoldWeightOnly = {"fold_weight_only", FoldWeightOnly};
constexpr Pass kFoldQdq = {"fold_qdq", FoldQdq};
constexpr Pass kSplitInt16 = {"split_int16", SplitInt16};
constexpr Pass kMoveQdq = {"move_qdq", MoveQdq};
constexpr Pass kFoldDequantize = {"fold_dequantize", FoldDequantize};
constexpr Pass kPullSelection = {"pull_selection", PullSelection};
constexpr Pass kPrune = {"prune", PrunePass, kKeepsShapes};

// What becomes known by one of these is news to the others, so they take turns.
constexpr Pass kSimplify[] = {kFoldConstants, kFoldShapes, kRemoveIdentity, kPrune};
// When a model is loaded; what it leaves are plain ONNX operators.
constexpr Pass kLoadPasses[] = {kFusePad,    kFuseBatchNorm, kFuseBias,
                                kFuseCurves, kFuseLayerNorm, kPrune};
// When shapes are fixed, on float operators. pull_selection knows plain operators only. Twice: a
// residual add can only be fused into a node that has its activation, and may have one itself.
constexpr Pass kFusions[] = {kPullSelection,   kFlattenMatMul, kFuseActivations, kFuseResidualAdd,
                             kFuseActivations, kFuseSoftmax,   kRemoveIdentity,  kMoveQdq,
                             kFoldConstants,   kPrune};
// After fold_qdq shapes are not inferred again: operators on integers would be taken for float
// ones. It leaves DequantizeLinear that nobody reads: fuse_table wants bytes with one reader.
constexpr Pass kIntegerPasses[] = {kSplitInt16, kFoldQdq,       kFoldDynamic,    kFoldWeightOnly,
                                   kFoldBf16,   kFuseAttention, kFuseQuantize,   kFusePad,
                                   kPrune,      kFuseTable,     kFoldDequantize, kPrune};

// An argument about a shape travels one operator a round, through fold_shapes all at once.
constexpr int64_t kMaxRounds = 8;

// Without these many models have shapes that no plan can be made for.
constexpr std::string_view kNeeded[] = {kFoldConstants.name, kFoldShapes.name, kPrune.name};
constexpr std::string_view kAllButNeeded = "all";

bool IsDisabled(const PassOptions& options, std::string_view name) {
  const bool may_be_left_out = std::ranges::find(kNeeded, name) == std::end(kNeeded);
  return std::ranges::any_of(options.disabled, [&](std::string_view disabled) {
    return disabled == name || (disabled == kAllButNeeded && may_be_left_out);
  });
}

Status CheckNames(const PassOptions& options) {
  const std::vector<std::string_view> known = PassNames();
  for (const std::string& name : options.disabled) {
    if (name == kAllButNeeded || std::ranges::find(known, name) != known.end()) continue;
    std::string list;
    for (const std::string_view k : known) list += Cat(list.empty() ? "" : ", ", k);
    return Error(Code::kInvalidArgument, "there is no pass '", name, "', wanted one of ", list);
  }
  return Ok();
}

// Folding may fill four times the memory of the constants that there are, and for small models a
// little more: a file of a few bytes that says Tile or Expand must not fill memory.
int64_t FoldBudget(const Graph& graph, int64_t limit) {
  constexpr int64_t kFactor = 4;
  constexpr int64_t kSmall = int64_t{32} << 20;
  int64_t bytes = 0;
  for (const Value& value : graph.values)
    if (value.constant && !AddFits(bytes, value.constant->bytes(), &bytes)) return INT64_MAX;
  int64_t budget = 0;
  int64_t floor = 0;
  if (!MulFits(bytes, kFactor, &budget)) return INT64_MAX;
  if (!MulFits(limit, kFactor, &floor)) floor = kSmall;
  return std::max(budget, std::min(floor, kSmall));
}

class Runner {
 public:
  Runner(Graph& graph, const PassOptions& options, std::vector<PassTime>* times)
      : graph_(graph), options_(options), times_(times) {
    context_.fold_budget = FoldBudget(graph, options.fold_limit_bytes);
  }

  // One after the other; the number of rewrites of all together.
  Result<int64_t> Once(std::span<const Pass> passes, bool infer) {
    int64_t changes = 0;
    for (const Pass& pass : passes) {
      if (IsDisabled(options_, pass.name)) continue;
      ASSIGN_OR_RETURN(const int64_t changed, Run(pass, infer));
      changes += changed;
    }
    return changes;
  }

  // Again until nothing changes.
  Status Repeatedly(std::span<const Pass> passes) {
    for (int64_t round = 0; round < kMaxRounds; ++round) {
      ASSIGN_OR_RETURN(const int64_t changes, Once(passes, true));
      if (changes == 0) break;
    }
    return Ok();
  }

 private:
  Result<int64_t> Run(const Pass& pass, bool infer) {
    using Clock = std::chrono::steady_clock;
    TRY(options_.hooks.Progress("passes", done_++, 0));
    const Clock::time_point start = Clock::now();
    ASSIGN_OR_RETURN(const int64_t changes, pass.run(graph_, context_));
    if (changes > 0) {
      TRY(VerifyEdges(graph_).At([&] { return Cat("after pass '", pass.name, "'"); }));
      if (infer && !pass.keeps_shapes) TRY(InferShapes(graph_));
    }
    const std::chrono::duration<double, std::micro> spent = Clock::now() - start;
    Note(pass.name, spent.count(), changes);
    return changes;
  }

  void Note(std::string_view name, double microseconds, int64_t changes) {
    if (times_ == nullptr) return;
    auto row = std::ranges::find(*times_, name, &PassTime::name);
    if (row == times_->end()) row = times_->insert(row, {.name = name});
    row->microseconds += microseconds;
    row->changes += changes;
  }

  Graph& graph_;
  const PassOptions& options_;
  PassContext context_{options_};
  std::vector<PassTime>* times_;
  int64_t done_ = 0;
};

Status FixInputShapes(Graph& graph, std::span<const Shape> shapes) {
  if (shapes.size() != graph.inputs.size())
    return Error(Code::kInvalidArgument, "found shapes for ", shapes.size(),
                 " inputs, the model has ", graph.inputs.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    Value& input = graph.value(graph.inputs[i]);
    TRY(CheckShape(shapes[i], input.dtype).At(Cat("input '", input.name, "'")));
    const bool fits =
        !input.shape ||
        std::ranges::equal(*input.shape, shapes[i], [](int64_t wanted, int64_t found) {
          return wanted == kDynamic || wanted == found;
        });
    if (!fits)
      return Error(Code::kShape, "input '", input.name, "': found ", ToString(shapes[i]),
                   ", wanted ", ToString(*input.shape));
    input.shape = shapes[i];
  }
  return Ok();
}

// A plan needs every shape; a shape that depends on data has no plan.
Status CheckShapesKnown(const Graph& graph) {
  for (const Node& node : graph.nodes)
    for (const ValueId id : node.outputs)
      if (id != kNoValue && (!graph.value(id).shape || !IsStatic(*graph.value(id).shape)))
        return Error(Code::kUnsupported, Place(node), ": the shape of output '",
                     graph.value(id).name, "' depends on data");
  return Ok();
}

}  // namespace

std::vector<std::string_view> PassNames() {
  std::vector<std::string_view> names;
  for (const std::span<const Pass> passes :
       {std::span<const Pass>(kSimplify).first(3), std::span<const Pass>(kLoadPasses),
        std::span<const Pass>(kFusions), std::span<const Pass>(kIntegerPasses)})
    for (const Pass& pass : passes)
      if (std::ranges::find(names, pass.name) == names.end()) names.push_back(pass.name);
  return names;
}

Status RunLoadPasses(Graph& graph, const PassOptions& options, std::vector<PassTime>* times) {
  TRY(CheckNames(options));
  TRY(InferShapes(graph));
  Runner runner(graph, options, times);
  TRY(runner.Repeatedly(kSimplify));
  TRY(runner.Once(kLoadPasses, true).status());
  return VerifyGraph(graph).At("after the passes");
}

Result<Graph> Specialize(const Graph& graph, std::span<const Shape> input_shapes,
                         const PassOptions& options, std::vector<PassTime>* times) {
  TRY(CheckNames(options));
  Graph copy = graph;
  TRY(FixInputShapes(copy, input_shapes));
  TRY(InferShapes(copy));
  Runner runner(copy, options, times);
  TRY(runner.Repeatedly(kSimplify));
  TRY(CheckShapesKnown(copy));
  TRY(runner.Once(kFusions, true).status());
  TRY(runner.Once(kIntegerPasses, false).status());
  TRY(VerifyGraph(copy).At("after the passes"));
  return copy;
}

}  // namespace intmill
