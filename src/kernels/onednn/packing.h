// Bringing weights into the layout that a primitive wants.
#ifndef INTMILL_KERNELS_ONEDNN_PACKING_H
#define INTMILL_KERNELS_ONEDNN_PACKING_H

#include "kernels/onednn/engine.h"
#include "tensor/kernel_record.h"

namespace intmill::onednn {

// `data`, which lies as `from` says (strides only), in the layout `to`. oneDNN 3.7.2's own reorders
// lose elements where a dimension does not fill its last block (tests/unit/kernels/packing.cpp), so
// elements are moved here, by what the description of `to` says. Only the sums of weights that some
// layouts have beside them, which nothing describes, are taken from oneDNN.
Result<SharedBytes> Pack(const dnnl::memory::desc& from, const void* data,
                         const dnnl::memory::desc& to);

}  // namespace intmill::onednn

#endif  // INTMILL_KERNELS_ONEDNN_PACKING_H
