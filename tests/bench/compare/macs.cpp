// The work in a model, from the report on its layers.
#include "bench/compare/macs.h"

#include <map>
#include <sstream>

#include "bench/compare/statistics.h"

namespace intmill::bench {
namespace {

using Dims = std::vector<double>;  // a free size is NaN, and what is made of it too

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// A free first size is the batch, and that is 1.
double Size(const std::string& text, bool is_first) {
  if (text == "?") return is_first ? 1 : kNone;
  return std::strtod(text.c_str(), nullptr);
}

Dims ParseShape(const std::string& text) {
  std::istringstream stream(text);
  Dims dims;
  for (std::string size; std::getline(stream, size, 'x');) dims.push_back(Size(size, dims.empty()));
  return dims;
}

double Product(const Dims& dims) {
  double product = 1;
  for (const double dim : dims) product *= dim;
  return product;
}

std::map<std::string, Dims> InputShapes(const Model& model) {
  std::map<std::string, Dims> shapes;
  for (const Port& port : model.Ports(INTMILL_INPUT)) {
    for (const int64_t dim : port.dims) {
      Dims& dims = shapes[port.name];
      dims.push_back(dim >= 0 ? static_cast<double>(dim) : Size("?", dims.empty()));
    }
  }
  return shapes;
}

// A convolution: each element of the output is a sum over one filter. A transposed one: each
// element of the input is spread over one filter.
double ConvolutionMacs(const std::vector<std::string>& inputs, double parameters, const Dims& in,
                       const Dims& out, bool transposed) {
  if (in.size() < 2 || out.size() < 2) return kNone;
  const double bias = inputs.size() > 2 ? out[1] : 0;
  return transposed ? Product(in) * (parameters - bias) / in[1]
                    : Product(out) * (parameters - bias) / out[1];
}

double LayerMacs(const Report& layers, int64_t row, const std::map<std::string, Dims>& shapes) {
  const std::string op = layers.Text(row, "op");
  const bool is_convolution = op == "Conv" || op == "ConvTranspose";
  if (!is_convolution && op != "MatMul" && op != "Gemm") return 0;
  const auto inputs = Words(layers.Text(row, "inputs"));
  const auto found = shapes.find(inputs.empty() ? "" : inputs[0]);
  if (found == shapes.end() || found->second.empty()) return kNone;
  const Dims out = ParseShape(layers.Text(row, "shape"));
  if (is_convolution)
    return ConvolutionMacs(inputs, layers.Number(row, "parameters"), found->second, out,
                           op == "ConvTranspose");
  return Product(out) * found->second.back();  // a Gemm of a model has its data rows first
}

}  // namespace

double CountMacs(const Model& model) {
  const Report layers = model.Report(INTMILL_REPORT_LAYERS);
  std::map<std::string, Dims> shapes = InputShapes(model);
  double macs = 0;
  for (int64_t row = 0; row < layers.rows(); ++row) {
    macs += LayerMacs(layers, row, shapes);
    const auto outputs = Words(layers.Text(row, "outputs"));
    if (!outputs.empty()) shapes[outputs[0]] = ParseShape(layers.Text(row, "shape"));
  }
  return macs;
}

}  // namespace intmill::bench
