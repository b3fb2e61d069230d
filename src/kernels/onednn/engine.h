// The oneDNN engine that all primitives share, and the wall that its exceptions stop at.
#ifndef INTMILL_KERNELS_ONEDNN_ENGINE_H
#define INTMILL_KERNELS_ONEDNN_ENGINE_H

#include <exception>
#include <new>
#include <utility>

#include <oneapi/dnnl/dnnl.hpp>

#include "base/status.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace intmill::onednn {

const dnnl::engine& Engine();

dnnl::memory::data_type TypeOf(DType dtype);  // of f32, s32, s8, u8
Status StatusOf(const dnnl::error& error);

// Dense memory of these dimensions, slowest first.
dnnl::memory::desc PlainDesc(const Shape& shape, DType dtype);
// Of ONNX dimensions (N, C, D1..) that lie as (N, D1.., C).
dnnl::memory::desc ChannelsLastDesc(const Shape& shape, DType dtype);

// What any of oneDNN's calls throws becomes a Status; `fn` returns a Status or a Result.
template <typename Fn>
auto Guarded(Fn&& fn) -> decltype(fn()) {
  try {
    return std::forward<Fn>(fn)();
  } catch (const dnnl::error& error) {
    return StatusOf(error);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "oneDNN: out of memory");
  } catch (const std::exception& error) {
    return Status(Code::kInternal, Cat("oneDNN: ", error.what()));
  } catch (...) {
    return Status(Code::kInternal, "oneDNN: unknown exception");
  }
}

}  // namespace intmill::onednn

#endif  // INTMILL_KERNELS_ONEDNN_ENGINE_H
