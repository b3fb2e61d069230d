// Whether tensors fit the ports of a model, before anything runs.
#ifndef INTMILL_SESSION_CHECK_IO_H
#define INTMILL_SESSION_CHECK_IO_H

#include <cstddef>
#include <span>

#include "base/status.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill {

// Type, rank and the sizes that are known; kShape names the port, what was found and wanted.
Status CheckInputFits(const Graph& graph, size_t i, const Tensor& t);
Status CheckOutputFits(const Graph& graph, size_t i, const Tensor& t);

// Dimensions of the inputs that have one name in the model have one size.
Status CheckNamedDims(const Graph& graph, std::span<const Tensor> inputs);

// No output's memory overlaps an input's or another output's. Outputs that are not valid are left
// out: they get memory of their own.
Status CheckSeparate(const Graph& graph, std::span<const Tensor> inputs,
                     std::span<const Tensor> outputs);

}  // namespace intmill

#endif  // INTMILL_SESSION_CHECK_IO_H
