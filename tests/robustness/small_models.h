// Three small ONNX models that between them touch most of the readers and passes.
#ifndef INTMILL_TESTS_ROBUSTNESS_SMALL_MODELS_H
#define INTMILL_TESTS_ROBUSTNESS_SMALL_MODELS_H

#include <string>

namespace intmill::test {

std::string ConvolutionModel();  // Conv, BatchNormalization, Relu, MaxPool, Flatten, Gemm
std::string ShapeModel();        // dynamic shapes: Shape, Gather, Concat, Reshape, Slice, Softmax
std::string QuantizedModel();    // Q/DQ around a Conv with per-channel int8 weights, Add, Clip

}  // namespace intmill::test

#endif  // INTMILL_TESTS_ROBUSTNESS_SMALL_MODELS_H
