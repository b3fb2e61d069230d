// What a plan tells of itself.
#include "engine/plan.h"

#include "engine/plan_impl.h"

namespace intmill {

Isa Plan::isa() const { return impl_->isa; }
int64_t Plan::arena_bytes() const { return impl_->arena_bytes; }
int64_t Plan::arena_lower_bound() const { return impl_->arena_lower_bound; }
int64_t Plan::packed_bytes() const { return impl_->packed_bytes; }
int64_t Plan::mapped_bytes() const { return impl_->mapped_bytes; }
int64_t Plan::constant_bytes() const { return impl_->constant_bytes; }
const std::vector<Shape>& Plan::input_shapes() const { return impl_->input_shapes; }
const std::vector<Value>& Plan::outputs() const { return impl_->outputs; }

Table Plan::Steps() const {
  Table table{.columns = {"layer", "op", "kernel", "note", "multiply_adds", "dtype"}};
  for (const Step& step : impl_->steps)
    table.Add({step.layer, step.op, std::string(step.kernel->name()), step.note, step.multiply_adds,
               std::string(DTypeName(step.dtype))});
  return table;
}

}  // namespace intmill
