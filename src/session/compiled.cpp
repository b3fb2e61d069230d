// Keeping what a session was compiled to, and making a session of it.
#include <algorithm>
#include <map>
#include <set>

#include "engine/fingerprint.h"
#include "session/session_impl.h"

namespace intmill {
namespace {

// Names of the constants that a plan's kernels have packed, and that nothing else reads.
std::set<std::string> PackedOnly(const Graph& graph, const std::vector<KernelRecord>& records) {
  std::map<std::string, int64_t> readers;
  for (const Node& node : graph.nodes)
    for (const ValueId id : node.inputs)
      if (graph.ConstantOf(id) != nullptr) ++readers[graph.value(id).name];
  for (const ValueId id : graph.outputs) ++readers[graph.value(id).name];
  for (const KernelRecord& record : records)
    if (!record.packed_value.empty()) --readers[record.packed_value];
  std::set<std::string> names;
  for (const KernelRecord& record : records)
    if (!record.packed_value.empty() && readers[record.packed_value] == 0)
      names.insert(record.packed_value);
  return names;
}

// Constants of the model that come to the plan as they are, to be packed and nothing else. Where a
// pass made a constant anew, it read the model's.
std::set<ValueId> Unread(const Graph& model, const Graph& ready,
                         const std::vector<KernelRecord>& records) {
  const std::set<std::string> packed = PackedOnly(ready, records);
  std::map<std::string, const void*> data;
  for (const Value& value : ready.values)
    if (value.constant && packed.contains(value.name))
      data[value.name] = value.constant->data<void>();
  std::set<ValueId> unread;
  for (size_t i = 0; i < model.values.size(); ++i) {
    const Value& value = model.values[i];
    const auto found = value.constant ? data.find(value.name) : data.end();
    if (found != data.end() && found->second == value.constant->data<void>())
      unread.insert(static_cast<ValueId>(i));
  }
  return unread;
}

}  // namespace

std::vector<CompiledFact> Session::Impl::Facts() const {
  std::vector<CompiledFact> facts = FingerprintOf(threads);
  std::string passes;
  for (const std::string& name : options.passes.disabled)
    passes += (passes.empty() ? "" : ", ") + name;
  facts.push_back({"passes left out", passes.empty() ? "none" : passes});
  facts.push_back({"largest folded constant", std::to_string(options.passes.fold_limit_bytes)});
  return facts;
}

Status Session::Impl::CheckCompiled() {
  if (options.references_only) options.compiled.reset();
  if (options.compiled == nullptr) return Ok();
  const Status status = CheckFingerprint(options.compiled->facts, Facts());
  if (status.ok()) return status;
  if (!options.rebuild_stale)
    return Error(status.code(), status.message(),
                 "; compile it anew, or let it be rebuilt (rebuild_stale)");
  options.passes.hooks.Log(LogLevel::kInfo, Cat(status.message(), "; it is rebuilt"));
  options.compiled.reset();
  return Ok();
}

const CompiledPlan* Session::Impl::CompiledFor(std::span<const Shape> shapes) const {
  if (options.compiled == nullptr) return nullptr;
  const auto& all = options.compiled->plans;
  const auto found = std::ranges::find_if(
      all, [&](const CompiledPlan& p) { return std::ranges::equal(p.input_shapes, shapes); });
  return found == all.end() ? nullptr : &*found;
}

Result<CompiledSession> Session::Compiled() const {
  const Impl& s = *impl_;
  if (s.options.references_only)
    return Error(Code::kState, "a session of references has nothing that could be kept");
  if (s.options.check_weights) TRY(s.options.check_weights());
  CompiledSession compiled{.facts = s.Facts()};
  std::set<ValueId> unread;
  const ThreadScope scope(s.threads);
  for (const std::shared_ptr<PlanEntry>& entry : s.plans.All()) {
    if (entry->holds_values()) continue;
    CompiledPlan plan{.input_shapes = entry->plan()->input_shapes()};
    // Compiled once more, as a plan does not know what its kernels were made of.
    ASSIGN_OR_RETURN(const Graph ready, Specialize(*s.graph, plan.input_shapes, s.Passes()));
    TRY(Plan::Compile(ready, {.hooks = s.options.passes.hooks, .written_records = &plan.kernels})
            .status());
    const std::set<ValueId> here = Unread(*s.graph, ready, plan.kernels);
    if (compiled.plans.empty()) {
      unread = here;
    } else {
      std::erase_if(unread, [&](ValueId id) { return !here.contains(id); });
    }
    compiled.plans.push_back(std::move(plan));
  }
  if (compiled.plans.empty())
    return Error(Code::kState, "the session has no plan yet that could be kept: ",
                 "run it once with inputs of the sizes that it is for");
  compiled.unread.assign(unread.begin(), unread.end());
  return compiled;
}

}  // namespace intmill
