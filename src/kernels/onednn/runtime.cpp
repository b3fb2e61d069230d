// oneDNN as a whole: engine, instruction set, errors.
#include "kernels/onednn/runtime.h"

#include "base/identity.h"
#include "kernels/onednn/engine.h"
#include "tensor/shape.h"

namespace intmill::onednn {
namespace {

// Primitives are kept by the kernels that use them; the cache only serves sessions that share
// shapes, and must not grow with the number of models a server has seen.
constexpr int kCachedPrimitives = 256;

dnnl::cpu_isa CpuIsaOf(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return dnnl::cpu_isa::sse41;
    case Isa::kAvx2:
      return dnnl::cpu_isa::avx2;
    case Isa::kAvx2Vnni:
      return dnnl::cpu_isa::avx2_vnni;
    case Isa::kAvx512:
      return dnnl::cpu_isa::avx512_core;
    case Isa::kAvx512Vnni:
      return dnnl::cpu_isa::avx512_core_vnni;
    case Isa::kAvx512Bf16:
      return dnnl::cpu_isa::avx512_core_bf16;
    case Isa::kAmx:
      return dnnl::cpu_isa::avx512_core_amx_fp16;
    case Isa::kAll:
      break;
  }
  return dnnl::cpu_isa::isa_default;
}

Isa IsaOf(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::avx2:
      return Isa::kAvx2;
    case dnnl::cpu_isa::avx2_vnni:
    case dnnl::cpu_isa::avx2_vnni_2:
      return Isa::kAvx2Vnni;
    case dnnl::cpu_isa::avx512_core:
      return Isa::kAvx512;
    case dnnl::cpu_isa::avx512_core_vnni:
      return Isa::kAvx512Vnni;
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_fp16:
      return Isa::kAvx512Bf16;
    case dnnl::cpu_isa::avx512_core_amx:
    case dnnl::cpu_isa::avx512_core_amx_fp16:
      return Isa::kAmx;
    default:
      return Isa::kBaseline;
  }
}

// A primitive small enough to cost nothing that needs code of its own.
Status TryCode() {
  return Guarded([] {
    const dnnl::memory::desc desc = PlainDesc({16}, DType::kF32);
    const dnnl::eltwise_forward::primitive_desc relu(Engine(), dnnl::prop_kind::forward_inference,
                                                     dnnl::algorithm::eltwise_relu, desc, desc);
    static_cast<void>(dnnl::eltwise_forward(relu));
    return Ok();
  });
}

}  // namespace

const dnnl::engine& Engine() {
  static const dnnl::engine engine = [] {
    dnnl::set_primitive_cache_capacity(kCachedPrimitives);
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

dnnl::memory::data_type TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return dnnl::memory::data_type::f32;
    case DType::kBf16:
      return dnnl::memory::data_type::bf16;
    case DType::kS32:
      return dnnl::memory::data_type::s32;
    case DType::kS8:
      return dnnl::memory::data_type::s8;
    case DType::kU8:
      return dnnl::memory::data_type::u8;
    default:
      return dnnl::memory::data_type::undef;
  }
}

Status StatusOf(const dnnl::error& error) {
  if (error.status == dnnl_out_of_memory) return Error(Code::kOutOfMemory, "oneDNN: out of memory");
  return Error(Code::kUnsupported, "oneDNN: ", error.what(), " (status ",
               static_cast<int>(error.status), ")");
}

dnnl::memory::desc PlainDesc(const Shape& shape, DType dtype) {
  return {shape, TypeOf(dtype), RowMajorStrides(shape)};
}

dnnl::memory::desc ChannelsLastDesc(const Shape& shape, DType dtype) {
  Shape strides(shape.size());
  int64_t stride = shape[1];
  strides[1] = 1;
  for (size_t i = shape.size(); i-- > 2;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  strides[0] = stride;
  return {shape, TypeOf(dtype), strides};
}

}  // namespace intmill::onednn

namespace intmill {

Isa EffectiveIsa() {
  static const Isa isa = onednn::IsaOf(dnnl::get_effective_cpu_isa());
  return isa;
}

Status SetIsaLimit(Isa isa) {
  if (dnnl::set_max_cpu_isa(onednn::CpuIsaOf(isa)) == dnnl::status::success) return Ok();
  return Error(Code::kState, "the instruction sets cannot be limited to ", IsaName(isa),
               ": kernels were built already, or oneDNN was built without that switch");
}

bool HasBf16(Isa isa) { return isa == Isa::kAvx512Bf16 || isa == Isa::kAmx || isa == Isa::kAll; }

Status CheckProducts(DType dtype, Isa isa) {
  if (dtype == DType::kBf16 && !HasBf16(isa))
    return Error(Code::kUnsupported, IsaName(isa), " has no products of BF16");
  if (IsQuantized8(dtype) && !HasVnni(isa))
    return Error(Code::kUnsupported, "oneDNN's 8-bit sums are not exact on ", IsaName(isa));
  return Ok();
}

std::string OnednnBuiltWith() {
  return Cat(DNNL_VERSION_MAJOR, '.', DNNL_VERSION_MINOR, '.', DNNL_VERSION_PATCH);
}

std::string OnednnRunsWith() {
  const dnnl_version_t* version = dnnl_version();
  return Cat(version->major, '.', version->minor, '.', version->patch);
}

std::string OnednnBuild() {
  return Cat(OnednnRunsWith(), " ", dnnl_version()->hash, " build ",
             BuildIdOf(reinterpret_cast<const void*>(&dnnl_version)));
}

std::string OnednnThreading() {
  switch (dnnl_version()->cpu_runtime) {
    case DNNL_RUNTIME_OMP:
      return "omp";
    case DNNL_RUNTIME_TBB:
      return "tbb";
    case DNNL_RUNTIME_SEQ:
      return "sequential";
    case DNNL_RUNTIME_THREADPOOL:
      return "threadpool";
    default:
      return "unknown";
  }
}

Status CheckCodeGeneration() {
  static const Status status = onednn::TryCode().At(
      "oneDNN cannot make code; is writable and executable memory denied to this "
      "process?");
  return status;
}

}  // namespace intmill
