// Made-up input: shapes from the model and the command line, numbers from a fixed seed.
#include "cli/bench_input.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <random>

#include "cli/array.h"
#include "cli/error.h"

namespace intmill::cli {
namespace {

Dims ParseShape(std::string_view text, const std::string& argument) {
  Dims dims;
  for (;;) {
    const size_t x = text.find('x');
    const std::string_view item = text.substr(0, x);
    int64_t dim = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), dim);
    if (error != std::errc() || end != item.data() + item.size() || dim < 1)
      throw UsageError(Cat("--shape ", argument, ": wanted NAME=1x3x224x224"));
    dims.push_back(dim);
    if (x == std::string_view::npos) return dims;
    text.remove_prefix(x + 1);
  }
}

std::map<std::string, Dims> ParseShapes(const InputOptions& options,
                                        const std::vector<Port>& ports) {
  std::map<std::string, Dims> shapes;
  for (const std::string& argument : options.shapes) {
    const size_t equals = argument.rfind('=');
    if (equals == std::string::npos && ports.size() != 1)
      throw UsageError(Cat("--shape ", argument, ": which input? wanted NAME=1x3x224x224"));
    const std::string name =
        equals == std::string::npos ? ports[0].name : argument.substr(0, equals);
    const auto is_named = [&](const Port& port) { return port.name == name; };
    if (std::none_of(ports.begin(), ports.end(), is_named))
      throw UsageError(Cat("--shape: '", name, "' is not an input of ", options.model));
    const size_t begin = equals == std::string::npos ? 0 : equals + 1;
    shapes[name] = ParseShape(std::string_view(argument).substr(begin), argument);
  }
  return shapes;
}

// The shape to run an input with: as given, or the model's with the batch in its free first place.
Dims ShapeOf(const Port& port, const std::map<std::string, Dims>& shapes,
             const InputOptions& options) {
  const auto given = shapes.find(port.name);
  if (given != shapes.end()) return given->second;
  Dims dims = port.dims;
  if (!dims.empty() && dims[0] == -1) dims[0] = options.batch;
  if (std::find(dims.begin(), dims.end(), -1) != dims.end())
    throw UsageError(Cat("input '", port.name, "' is ", ShapeText(port.dims), ": give --shape ",
                         port.name, "=", ShapeText(dims), " with a size for each ?"));
  if (options.batch != 1 && (dims.empty() || dims[0] != options.batch))
    throw UsageError(
        Cat("--batch ", options.batch, ": input '", port.name, "' is ", ShapeText(port.dims)));
  return dims;
}

Tensor MakeInput(intmill_dtype dtype, const Dims& dims) {
  if (ElementCount(dims) < 0) throw UsageError(Cat("--shape ", ShapeText(dims), ": too large"));
  Tensor tensor(dtype, dims);
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same input in every run
  const int64_t count = ElementCount(dims);
  if (dtype == INTMILL_F32) {
    for (int64_t i = 0; i < count; ++i)
      tensor.data<float>()[i] = static_cast<float>(random() >> 8) / static_cast<float>(1 << 24);
  } else if (dtype == INTMILL_U8 || dtype == INTMILL_S8) {
    for (int64_t i = 0; i < count; ++i)
      tensor.data<uint8_t>()[i] = static_cast<uint8_t>(random() >> 24);
  }
  return tensor;
}

}  // namespace

std::vector<Tensor> MakeInputs(const Model& model, const InputOptions& options) {
  const std::vector<Port> ports = model.Ports(INTMILL_INPUT);
  const auto shapes = ParseShapes(options, ports);
  std::vector<Tensor> inputs;
  for (const Port& port : ports)
    inputs.push_back(MakeInput(port.dtype, ShapeOf(port, shapes, options)));
  return inputs;
}

}  // namespace intmill::cli
