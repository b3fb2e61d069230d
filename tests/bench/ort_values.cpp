// ort_values: any values of a model in ONNX Runtime, for agreement.py.
//
//   ort_values LIBRARY MODEL.onnx < WORDS
//
// LIBRARY may be "". The words are a line for each input, `in NAME TYPE FILE DIMENSION ...`, and
// for each output, `out NAME FILE`; types are numbers of ONNX's TensorProto, files hold bare
// numbers. For each output a line `NAME TYPE DIMENSION ...` is printed. With the word `plain` in
// front of them nothing is optimized. Nothing is released: the process ends.
#include <iostream>

#include "bench/compare/ort_library.h"

#ifdef INTMILL_BENCH_ORT

#include <deque>
#include <exception>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace intmill::bench {
namespace {

size_t ElementBytes(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return 4;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return 8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return 1;
    default:
      throw std::runtime_error("element type " + std::to_string(type) + " is not known here");
  }
}

class Model {
 public:
  explicit Model(const std::string& library) : api_(OpenOrt(library).api) {
    Check(api_->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "ort_values", &env_));
    Check(api_->CreateSessionOptions(&options_));
    Check(api_->SetIntraOpNumThreads(options_, 1));
    Check(api_->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory_));
  }

  void Read(std::istream& words) {
    for (std::string line; std::getline(words, line);) {
      std::istringstream rest(line);
      std::string kind;
      rest >> kind;
      if (kind == "plain")
        Check(api_->SetSessionGraphOptimizationLevel(options_, ORT_DISABLE_ALL));
      else if (kind == "in")
        AddInput(rest);
      else if (kind == "out")
        rest >> outputs_.emplace_back() >> files_.emplace_back();
    }
  }

  void Run(const std::string& path) {
    OrtSession* session = nullptr;
    Check(api_->CreateSession(env_, path.c_str(), options_, &session));
    std::vector<OrtValue*> results(outputs_.size(), nullptr);
    Check(api_->Run(session, nullptr, Names(inputs_).data(), values_.data(), values_.size(),
                    Names(outputs_).data(), outputs_.size(), results.data()));
    for (size_t i = 0; i < results.size(); ++i) Write(i, results[i]);
  }

 private:
  void Check(OrtStatus* status) const {
    if (status != nullptr) throw std::runtime_error(api_->GetErrorMessage(status));
  }

  static std::vector<const char*> Names(const std::vector<std::string>& strings) {
    std::vector<const char*> names;
    for (const std::string& s : strings) names.push_back(s.c_str());
    return names;
  }

  void AddInput(std::istream& words) {
    int type = 0;
    std::string file;
    words >> inputs_.emplace_back() >> type >> file;
    std::vector<int64_t> dims;
    for (int64_t d = 0; words >> d;) dims.push_back(d);
    std::ifstream from(file, std::ios::binary);
    if (!from) throw std::runtime_error(file + ": cannot be read");
    std::string& bytes = contents_.emplace_back(std::istreambuf_iterator<char>(from),
                                                std::istreambuf_iterator<char>());
    OrtValue* value = nullptr;
    Check(api_->CreateTensorWithDataAsOrtValue(
        memory_, bytes.data(), bytes.size(), dims.data(), dims.size(),
        static_cast<ONNXTensorElementDataType>(type), &value));
    values_.push_back(value);
  }

  void Write(size_t i, OrtValue* value) const {
    OrtTensorTypeAndShapeInfo* info = nullptr;
    Check(api_->GetTensorTypeAndShape(value, &info));
    ONNXTensorElementDataType type{};
    size_t rank = 0;
    size_t count = 0;
    Check(api_->GetTensorElementType(info, &type));
    Check(api_->GetTensorShapeElementCount(info, &count));
    Check(api_->GetDimensionsCount(info, &rank));
    std::vector<int64_t> dims(rank);
    Check(api_->GetDimensions(info, dims.data(), rank));
    void* data = nullptr;
    Check(api_->GetTensorMutableData(value, &data));
    std::ofstream to(files_[i], std::ios::binary);
    to.write(static_cast<const char*>(data),
             static_cast<std::streamsize>(count * ElementBytes(type)));
    if (!to.flush()) throw std::runtime_error(files_[i] + ": cannot be written");
    std::cout << outputs_[i] << ' ' << type;
    for (const int64_t d : dims) std::cout << ' ' << d;
    std::cout << '\n';
  }

  const OrtApi* api_;
  OrtEnv* env_ = nullptr;
  OrtSessionOptions* options_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  std::deque<std::string> contents_;  // of inputs, which stay where they are
  std::vector<std::string> inputs_;
  std::vector<const OrtValue*> values_;
  std::vector<std::string> outputs_;
  std::vector<std::string> files_;
};

}  // namespace
}  // namespace intmill::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: ort_values LIBRARY MODEL.onnx < WORDS\n";
    return 2;
  }
  try {
    intmill::bench::Model model(argv[1]);
    model.Read(std::cin);
    model.Run(argv[2]);
  } catch (const std::exception& error) {
    std::cerr << "ort_values: " << error.what() << '\n';
    return 1;
  }
}

#else

int main() {
  std::cerr << "ort_values: built without ONNX Runtime's header, onnxruntime_c_api.h\n";
  return 1;
}

#endif  // INTMILL_BENCH_ORT
