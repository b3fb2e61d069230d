// From what C hands over to what the layers below take: options, shapes, memory, enums.
#ifndef INTMILL_CAPI_CONVERT_H
#define INTMILL_CAPI_CONVERT_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/file.h"
#include "base/hooks.h"
#include "base/status.h"
#include "capi/handles.h"
#include "capi/option_bag.h"
#include "import/load.h"
#include "intmill/intmill.h"
#include "passes/pipeline.h"
#include "quant/scheme.h"
#include "session/session.h"
#include "tensor/quantize.h"

namespace intmill::capi {

Hooks ToHooks(const OptionBag& bag);
PassOptions ToPassOptions(const OptionBag& bag);
Result<LoadOptions> ToLoadOptions(const OptionBag& bag);
SessionOptions ToSessionOptions(const OptionBag& bag);
SchemeTable ToSchemes(const OptionBag& bag);
// What the bag says of the whole model.
LayerScheme ToScheme(const OptionBag& bag);
// kUnsupported when the bag asks for another format than ours.

Result<Shape> ToShape(intmill_dtype dtype, int64_t rank, const int64_t* dims);
// Handles in, tensors out; none may be NULL. `what` is "inputs".
Result<std::vector<Tensor>> ToTensors(intmill_tensor* const* handles, int64_t count,
                                      std::string_view what);

// Memory that a caller lent. Until Take(), its free function will not be called.
class Lent {
 public:
  Lent(void* data, intmill_free_fn free_fn, void* user)
      : state_(std::make_shared<State>(State{data, free_fn, user})) {}
  std::shared_ptr<const void> owner() const { return state_; }
  void Take() const { state_->taken = true; }

 private:
  struct State {
    void* data;
    intmill_free_fn free_fn;
    void* user;
    bool taken = false;
    ~State() {
      if (taken && free_fn != nullptr) free_fn(user, data);
    }
  };
  std::shared_ptr<State> state_;
};

// Fills a struct that begins with struct_size: as much of it as the caller's header knows.
// kInvalidArgument when that is less than the first release had.
template <typename T>
Status FillStruct(T value, uint32_t first_release_size, T* out) {
  const uint32_t known = out->struct_size;
  if (known < first_release_size)
    return Error(Code::kInvalidArgument, "struct_size is ", known, ", wanted at least ",
                 first_release_size, ": use the *_INIT macro");
  value.struct_size = known;
  std::memcpy(out, &value, std::min<size_t>(known, sizeof value));
  return Ok();
}

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_CONVERT_H
