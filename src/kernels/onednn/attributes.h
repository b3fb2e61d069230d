// An Epilogue as the attributes of a oneDNN primitive and the arguments that go with them.
#ifndef INTMILL_KERNELS_ONEDNN_ATTRIBUTES_H
#define INTMILL_KERNELS_ONEDNN_ATTRIBUTES_H

#include "kernels/epilogue.h"
#include "kernels/onednn/primitive_kernel.h"

namespace intmill::onednn {

struct AttributeContext {
  int scale_mask = 0;  // of scales per channel, in the primitive's weights
  int32_t source_zero_point = 0;
  // Kernel inputs with the source's scale and zero point; -1: known now.
  int64_t source_scale_input = -1;
  int64_t source_zero_point_input = -1;
  bool integers = false;      // input and weights are
  dnnl::memory::desc output;  // full tensor operands of kAdd lie like it
};

dnnl::primitive_attr AttributesOf(const Epilogue& epilogue, const AttributeContext& context);
// The arguments that the attributes ask for at run time.
Status BindAttributes(const Epilogue& epilogue, const AttributeContext& context,
                      Bindings& bindings);

}  // namespace intmill::onednn

#endif  // INTMILL_KERNELS_ONEDNN_ATTRIBUTES_H
