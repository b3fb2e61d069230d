// Small models for tests that break them.
#include "robustness/small_models.h"

#include <vector>

#include "support/onnx_writer.h"

namespace intmill::test {
namespace {

// 0.1, -0.2, 0.3, -0.4, ...
std::vector<float> Waves(int64_t n) {
  std::vector<float> values;
  for (int64_t i = 0; i < n; ++i)
    values.push_back((i % 2 == 0 ? 0.1f : -0.1f) * static_cast<float>(i % 7 + 1));
  return values;
}

}  // namespace

std::string ConvolutionModel() {
  return ModelMessage(
      {.nodes = {{.op = "Conv",
                  .inputs = {"x", "w", "b"},
                  .outputs = {"c"},
                  .attributes = {IntsAttribute("pads", {1, 1, 1, 1}),
                                 IntsAttribute("strides", {1, 1})},
                  .name = "conv"},
                 {.op = "BatchNormalization",
                  .inputs = {"c", "scale", "shift", "mean", "variance"},
                  .outputs = {"n"},
                  .name = "norm"},
                 {.op = "Relu", .inputs = {"n"}, .outputs = {"r"}, .name = "relu"},
                 {.op = "MaxPool",
                  .inputs = {"r"},
                  .outputs = {"p"},
                  .attributes = {IntsAttribute("kernel_shape", {2, 2}),
                                 IntsAttribute("strides", {2, 2})},
                  .name = "pool"},
                 {.op = "Flatten", .inputs = {"p"}, .outputs = {"f"}, .name = "flatten"},
                 {.op = "Gemm",
                  .inputs = {"f", "dense_w", "dense_b"},
                  .outputs = {"y"},
                  .attributes = {IntAttribute("transB", 1)},
                  .name = "dense"}},
       .initializers = {FloatTensor("w", {2, 1, 3, 3}, Waves(18)), FloatTensor("b", {2}, Waves(2)),
                        FloatTensor("scale", {2}, {1, 2}), FloatTensor("shift", {2}, {0, 1}),
                        FloatTensor("mean", {2}, {0, 0.5f}), FloatTensor("variance", {2}, {1, 2}),
                        FloatTensor("dense_w", {3, 18}, Waves(54)),
                        FloatTensor("dense_b", {3}, Waves(3))},
       .inputs = {ValueMessage("x", kOnnxFloat, {{0, "batch"}, {1}, {6}, {6}})},
       .outputs = {ValueMessage("y", kOnnxFloat, {{0, "batch"}, {3}})}});
}

std::string ShapeModel() {
  return ModelMessage(
      {.nodes = {{.op = "Shape", .inputs = {"x"}, .outputs = {"s"}},
                 {.op = "Gather", .inputs = {"s", "zero"}, .outputs = {"n"}},
                 {.op = "Unsqueeze", .inputs = {"n", "axis"}, .outputs = {"n1"}},
                 {.op = "Concat",
                  .inputs = {"n1", "minus_one"},
                  .outputs = {"target"},
                  .attributes = {IntAttribute("axis", 0)}},
                 {.op = "Slice", .inputs = {"x", "from", "to", "axes", "steps"}, .outputs = {"r"}},
                 {.op = "Transpose",
                  .inputs = {"r"},
                  .outputs = {"t"},
                  .attributes = {IntsAttribute("perm", {0, 2, 1})}},
                 {.op = "Reshape", .inputs = {"t", "target"}, .outputs = {"f"}},
                 {.op = "Softmax",
                  .inputs = {"f"},
                  .outputs = {"m"},
                  .attributes = {IntAttribute("axis", -1)}},
                 {.op = "ReduceMean",
                  .inputs = {"m"},
                  .outputs = {"y"},
                  .attributes = {IntsAttribute("axes", {1}), IntAttribute("keepdims", 0)}}},
       .initializers = {Int64Tensor("zero", {}, {0}), Int64Tensor("axis", {1}, {0}),
                        Int64Tensor("minus_one", {1}, {-1}), Int64Tensor("from", {1}, {-1}),
                        Int64Tensor("to", {1}, {INT64_MIN}), Int64Tensor("axes", {1}, {2}),
                        Int64Tensor("steps", {1}, {-1})},
       .inputs = {ValueMessage("x", kOnnxFloat, {{0, "batch"}, {2}, {4}})},
       .outputs = {ValueMessage("y", kOnnxFloat, {{0, "batch"}})}});
}

std::string QuantizedModel() {
  const auto quantize = [](const std::string& in, const std::string& out) {
    return NodeParts{"QuantizeLinear", {in, "s", "z"}, {out}};
  };
  const auto dequantize = [](const std::string& in, const std::string& out) {
    return NodeParts{"DequantizeLinear", {in, "s", "z"}, {out}};
  };
  return ModelMessage(
      {.nodes = {quantize("x", "xq"),
                 dequantize("xq", "xd"),
                 {.op = "DequantizeLinear",
                  .inputs = {"wq", "ws", "wz"},
                  .outputs = {"w"},
                  .attributes = {IntAttribute("axis", 0)}},
                 {.op = "Conv", .inputs = {"xd", "w"}, .outputs = {"c"}},
                 quantize("c", "cq"),
                 dequantize("cq", "cd"),
                 {.op = "Add", .inputs = {"cd", "cd"}, .outputs = {"a"}},
                 {.op = "Clip", .inputs = {"a", "low", "high"}, .outputs = {"k"}},
                 quantize("k", "kq"),
                 dequantize("kq", "y")},
       .initializers = {FloatTensor("s", {}, {0.05f}), RawTensor("z", kOnnxUint8, {}, "\x80"),
                        FloatTensor("ws", {2}, {0.01f, 0.02f}),
                        RawTensor("wz", kOnnxInt8, {2}, std::string(2, '\0')),
                        RawTensor("wq", kOnnxInt8, {2, 3, 1, 1}, "\x10\xf0\x7f\x01\x02\x80"),
                        FloatTensor("low", {}, {0}), FloatTensor("high", {}, {6})},
       .inputs = {ValueMessage("x", kOnnxFloat, {{1}, {3}, {4}, {4}})},
       .outputs = {ValueMessage("y", kOnnxFloat, {{1}, {2}, {4}, {4}})}});
}

}  // namespace intmill::test
