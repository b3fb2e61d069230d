// Runs one operator case against everything that promises to agree with it.
#ifndef INTMILL_TESTS_OPS_HARNESS_H
#define INTMILL_TESTS_OPS_HARNESS_H

#include <string>
#include <vector>

#include "ops/case_file.h"

namespace intmill::test {

// A case as a graph of one node, upgraded to the newest form.
enum class KnownShapes { kAll, kRanks, kNothing };
struct BuiltCase {
  Graph graph;
  std::vector<Tensor> inputs;  // of the upgraded node; invalid where absent
  std::vector<bool> constant;  // as many

  const Node& node() const { return graph.nodes.front(); }
};
Result<BuiltCase> Build(const OpCase& c, KnownShapes known);

// The reference's outputs, as many as the node has; invalid where absent.
Result<std::vector<Tensor>> RunReference(const BuiltCase& built, const std::vector<Tensor>& inputs);
// Applies the node's post-ops to a float result by their definitions.
Status ApplyPostOps(const Node& node, const std::vector<Tensor>& inputs, Tensor& result);

// Each returns OK or what disagreed.
Status CheckError(const OpCase& c);      // a case with 'error' is refused as it says
Status CheckInference(const OpCase& c);  // types and shapes, also with less known about inputs
Status CheckReference(const OpCase& c);  // reference against literal
Status CheckLowered(const OpCase& c);    // kernel against reference: layouts, threads, ISAs
Status CheckQuantized(const OpCase& c);  // int8 kernel against reference
Status CheckFile(const OpCase& c);       // an ONNX file of the case against reference

// All that apply; messages of those that failed.
std::vector<std::string> RunCase(const OpCase& c);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_OPS_HARNESS_H
