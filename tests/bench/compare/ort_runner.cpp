// Models in ONNX Runtime, whose library is opened by hand. Without its header this file answers
// that it is not there.
#include "bench/compare/ort_runner.h"

#ifdef INTMILL_BENCH_ORT

#include <algorithm>
#include <iterator>

#include "bench/compare/ort_library.h"

namespace intmill::bench {
namespace {

constexpr uint32_t kRunSeed = 1;

struct Type {
  intmill_dtype ours;
  ONNXTensorElementDataType theirs;
};

constexpr Type kTypes[] = {
    {INTMILL_F32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {INTMILL_S8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {INTMILL_U8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {INTMILL_S32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {INTMILL_S64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
};

template <typename T>
const Type& FindType(T Type::*side, T wanted) {
  const auto found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const Type& type) { return type.*side == wanted; });
  if (found == std::end(kTypes)) throw std::runtime_error("an input has a type not known here");
  return *found;
}

// Nothing is released: a runner lives as long as the child process that made it.
class OrtRunner : public Runner {
 public:
  OrtRunner(const std::string& library, const std::string& path, int threads)
      : api_(OpenOrt(library).api) {
    OrtEnv* env = nullptr;
    Check(api_->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bench_compare", &env));
    OrtSessionOptions* options = nullptr;
    Check(api_->CreateSessionOptions(&options));
    Check(api_->SetIntraOpNumThreads(options, threads));
    Check(api_->SetInterOpNumThreads(options, 1));
    Check(api_->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
    Check(api_->CreateSession(env, path.c_str(), options, &session_));
    Check(api_->GetAllocatorWithDefaultOptions(&allocator_));
    MakeAndBindInputs();
    NameOutputs();
  }

  // The first run makes the outputs; later ones write into them.
  void Run() override {
    Check(api_->Run(session_, nullptr, input_names_.data(), values_.data(), values_.size(),
                    output_names_.data(), output_names_.size(), outputs_.data()));
  }

  bool OutputsAreFinite() const override {
    for (OrtValue* const output : outputs_) {
      OrtTensorTypeAndShapeInfo* info = nullptr;
      Check(api_->GetTensorTypeAndShape(output, &info));
      ONNXTensorElementDataType type{};
      size_t count = 0;
      Check(api_->GetTensorElementType(info, &type));
      Check(api_->GetTensorShapeElementCount(info, &count));
      api_->ReleaseTensorTypeAndShapeInfo(info);
      void* data = nullptr;
      Check(api_->GetTensorMutableData(output, &data));
      if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT &&
          !AllFinite(static_cast<const float*>(data), static_cast<int64_t>(count)))
        return false;
    }
    return true;
  }

 private:
  void Check(OrtStatus* status) const {
    if (status != nullptr) throw std::runtime_error(api_->GetErrorMessage(status));
  }

  // The input of that number as intmill would describe it.
  Port InputPort(size_t index) {
    char* name = nullptr;
    Check(api_->SessionGetInputName(session_, index, allocator_, &name));
    input_names_.push_back(name);
    OrtTypeInfo* info = nullptr;
    Check(api_->SessionGetInputTypeInfo(session_, index, &info));
    const OrtTensorTypeAndShapeInfo* tensor = nullptr;
    Check(api_->CastTypeInfoToTensorInfo(info, &tensor));
    if (tensor == nullptr) throw std::runtime_error("an input is not a tensor");
    ONNXTensorElementDataType type{};
    size_t rank = 0;
    Check(api_->GetTensorElementType(tensor, &type));
    Check(api_->GetDimensionsCount(tensor, &rank));
    std::vector<int64_t> dims(rank);
    Check(api_->GetDimensions(tensor, dims.data(), rank));
    api_->ReleaseTypeInfo(info);
    return {name, FindType(&Type::theirs, type).ours, static_cast<int64_t>(rank), dims};
  }

  void MakeAndBindInputs() {
    size_t count = 0;
    Check(api_->SessionGetInputCount(session_, &count));
    std::vector<Port> ports;
    for (size_t i = 0; i < count; ++i) ports.push_back(InputPort(i));
    inputs_ = MakeInputs(ports, kRunSeed);
    OrtMemoryInfo* memory = nullptr;
    Check(api_->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
    for (const Tensor& input : inputs_) {
      const std::vector<int64_t> dims = input.dims();
      OrtValue* value = nullptr;
      Check(api_->CreateTensorWithDataAsOrtValue(
          memory, input.data<void>(), static_cast<size_t>(input.bytes()), dims.data(), dims.size(),
          FindType(&Type::ours, input.dtype()).theirs, &value));
      values_.push_back(value);
    }
  }

  void NameOutputs() {
    size_t count = 0;
    Check(api_->SessionGetOutputCount(session_, &count));
    for (size_t i = 0; i < count; ++i) {
      char* name = nullptr;
      Check(api_->SessionGetOutputName(session_, i, allocator_, &name));
      output_names_.push_back(name);
    }
    outputs_.resize(count, nullptr);
  }

  const OrtApi* api_;
  OrtSession* session_ = nullptr;
  OrtAllocator* allocator_ = nullptr;
  std::vector<Tensor> inputs_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<const OrtValue*> values_;
  std::vector<OrtValue*> outputs_;
};

}  // namespace

std::string OrtVersion(const std::string& library) { return OpenOrt(library).version; }

std::unique_ptr<Runner> LoadOrt(const std::string& library, const std::string& path, int threads) {
  return std::make_unique<OrtRunner>(library, path, threads);
}

}  // namespace intmill::bench

#else

namespace intmill::bench {
namespace {

[[noreturn]] void Refuse() {
  throw std::runtime_error("built without ONNX Runtime's header, onnxruntime_c_api.h");
}

}  // namespace

std::string OrtVersion(const std::string&) { Refuse(); }

std::unique_ptr<Runner> LoadOrt(const std::string&, const std::string&, int) { Refuse(); }

}  // namespace intmill::bench

#endif  // INTMILL_BENCH_ORT
