// Feeder: brings the user's data to a model's inputs, batch by batch, reading only what it feeds.
#include "cli/feeder.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "cli/error.h"
#include "cli/fit.h"

namespace intmill::cli {
namespace {

constexpr int64_t kLargestBatch = 32;
constexpr int64_t kBatchBytes = int64_t{1} << 20;  // of inputs; activations take many times that

// For each input the path of its data. An argument without a name serves all inputs that no other
// names, which is how one .npz feeds several.
std::map<std::string, std::string> MatchPaths(const std::vector<Port>& ports,
                                              const std::string& model_name,
                                              const std::vector<std::string>& arguments) {
  std::string names;
  for (const Port& port : ports) names += Cat(names.empty() ? "" : ", ", port.name);
  std::map<std::string, std::string> paths;
  std::string unnamed;
  for (const std::string& argument : arguments) {
    const auto port = std::find_if(ports.begin(), ports.end(), [&](const Port& candidate) {
      return argument.starts_with(candidate.name + "=");
    });
    const size_t equals = argument.find('=');
    if (port != ports.end()) {
      if (!paths.emplace(port->name, argument.substr(port->name.size() + 1)).second)
        throw UsageError(Cat("--data: input '", port->name, "' is given twice"));
    } else if (equals != std::string::npos && !std::filesystem::exists(argument)) {
      throw UsageError(Cat("--data: '", argument.substr(0, equals), "' is not an input of ",
                           model_name, ", whose inputs are: ", names));
    } else if (!unnamed.empty()) {
      throw UsageError(Cat("--data: '", argument, "' needs the name of its input: NAME=PATH; ",
                           model_name, " has: ", names));
    } else {
      unnamed = argument;
    }
  }
  for (const Port& port : ports) {
    if (paths.contains(port.name)) continue;
    if (unnamed.empty())
      throw UsageError(Cat("--data: nothing for input '", port.name, "' of ", model_name));
    paths.emplace(port.name, unnamed);
  }
  return paths;
}

Layout ParseLayout(const std::string& text) {
  if (text == "nchw") return Layout::kNchw;
  return text == "nhwc" ? Layout::kNhwc : Layout::kUnknown;
}

Normalization ParseNormalization(const DataOptions& options) {
  Normalization normalization;
  if (!options.scale.empty()) normalization.scale = ParseNumbers(options.scale, "--scale");
  if (!options.mean.empty()) normalization.mean = ParseNumbers(options.mean, "--mean");
  if (!options.deviation.empty())
    normalization.deviation = ParseNumbers(options.deviation, "--std");
  const auto& deviation = normalization.deviation;
  if (std::find(deviation.begin(), deviation.end(), 0.0) != deviation.end())
    throw UsageError("--std: 0 divides by zero");
  return normalization;
}

// A sample of the rank of the whole input is the whole input, unless it is one row with its 1.
bool IsWhole(const Dims& sample, const Port& port) {
  if (port.dims.empty()) return true;
  if (sample.size() != port.dims.size() || sample[0] == 1) return false;
  for (size_t i = 0; i < sample.size(); ++i) {
    if (port.dims[i] != -1 && port.dims[i] != sample[i]) return false;
  }
  return true;
}

}  // namespace

Feeder::Feeder(const Model& model, const std::string& model_name, const DataOptions& options)
    : model_name_(model_name), normalization_(ParseNormalization(options)) {
  const std::vector<Port> ports = model.Ports(INTMILL_INPUT);
  const auto paths = MatchPaths(ports, model_name, options.data);
  const Layout layout = ParseLayout(options.layout);
  bool is_normalized = false;
  for (const Port& port : ports) {
    const std::string& path = paths.at(port.name);
    AddSource(port, OpenDataset(path, port.name, options.size), layout);
    is_normalized = is_normalized || sources_.back().converter->normalizes();
    const std::filesystem::path clean = std::filesystem::path(path + "/.").lexically_normal();
    description_.emplace_back(Cat("data.", sources_.size() - 1),
                              Cat(port.name, "=", clean.parent_path().filename().string()));
  }
  if (!is_normalized && !normalization_.IsIdentity())
    throw UsageError("--scale, --mean, --std: only u8 data for an f32 input is normalized");
  has_raw_bytes_ = is_normalized && normalization_.IsIdentity();
  for (const auto& [key, value] :
       {std::pair("preprocess.scale", &options.scale), std::pair("preprocess.mean", &options.mean),
        std::pair("preprocess.std", &options.deviation)}) {
    if (is_normalized && !value->empty()) description_.emplace_back(key, *value);
  }
  if (options.size != 0) description_.emplace_back("preprocess.size", Cat(options.size));
  chosen_ = EvenlySpaced(available_, options.samples);
  ChooseBatch(ports, options);
}

void Feeder::AddSource(const Port& port, DatasetPtr data, Layout layout) {
  const int64_t count = data->count();
  if (count == 0) throw Failure(Cat(data->name(), ": holds no samples"));
  if (!sources_.empty() && count != available_)
    throw Failure(Cat(data->name(), ": ", count, " samples, ", sources_.front().data->name(),
                      " has ", available_));
  available_ = count;
  sources_.push_back(MakeSource(port, std::move(data), layout));
}

Feeder::Source Feeder::MakeSource(const Port& port, DatasetPtr data, Layout layout) const {
  Source source;
  const ArrayType& sample = data->sample();
  source.is_whole = IsWhole(sample.dims, port);
  ArrayType wanted{port.dtype, port.dims};
  if (!source.is_whole) wanted.dims.erase(wanted.dims.begin());
  if (data->layout() != Layout::kUnknown) layout = data->layout();
  try {
    source.converter = std::make_unique<Converter>(sample, layout, wanted, normalization_);
  } catch (const Failure& failure) {
    const bool is_folder = data->layout() == Layout::kNhwc;
    throw Failure(Cat(data->name(), ": ", failure.what(), " ('", port.name, "' of ", model_name_,
                      ")", is_folder ? "; --size resizes pictures" : ""));
  }
  source.data = std::move(data);
  return source;
}

void Feeder::ChooseBatch(const std::vector<Port>& ports, const DataOptions& options) {
  int64_t fixed = 0;
  int64_t row_bytes = 1;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const int64_t rows = sources_[i].is_whole ? 1 : ports[i].dims[0];
    row_bytes += ByteCount(sources_[i].converter->result());
    if (rows == -1) continue;
    if (fixed != 0 && rows != fixed)
      throw Failure(Cat(model_name_, ": inputs with different numbers of rows, ", fixed, " and ",
                        rows, "; give whole inputs as samples"));
    fixed = rows;
  }
  if (fixed != 0 && options.batch != 0 && options.batch != fixed)
    throw UsageError(Cat("--batch ", options.batch, ": ", model_name_, " takes ", fixed));
  if (fixed > count())
    throw Failure(Cat(sources_.front().data->name(), ": ", count(), " samples, ", model_name_,
                      " takes ", fixed, " at once"));
  const int64_t suited = std::clamp<int64_t>(kBatchBytes / row_bytes, 1, kLargestBatch);
  batch_size_ = fixed != 0 ? fixed : options.batch != 0 ? options.batch : suited;
  // A fixed batch cannot be cut, so samples that do not fill one are left out.
  if (fixed > 1) chosen_.resize(static_cast<size_t>(count() / fixed * fixed));
}

void Feeder::TakeShard(const Shard& shard) {
  std::vector<int64_t> own;
  for (int64_t begin = 0, batch = 0; begin < count(); begin += batch_size_, ++batch) {
    if (batch % shard.count != shard.index - 1) continue;
    const int64_t end = std::min(begin + batch_size_, count());
    own.insert(own.end(), chosen_.begin() + begin, chosen_.begin() + end);
  }
  chosen_ = std::move(own);
  next_ = 0;
}

bool Feeder::Next(std::vector<Tensor>& inputs) {
  const int64_t end = std::min(next_ + batch_size_, count());
  if (next_ == end) return false;
  batch_.assign(chosen_.begin() + next_, chosen_.begin() + end);
  next_ = end;
  inputs.clear();
  for (size_t i = 0; i < sources_.size(); ++i) inputs.push_back(ReadBatch(sources_[i]));
  return true;
}

Tensor Feeder::ReadBatch(const Source& source) const {
  const ArrayType& row = source.converter->result();
  Dims dims = row.dims;
  if (!source.is_whole) dims.insert(dims.begin(), static_cast<int64_t>(batch_.size()));
  Tensor tensor(row.dtype, dims);
  auto* out = tensor.data<std::byte>();
  std::vector<std::byte> sample(static_cast<size_t>(ByteCount(source.data->sample())));
  for (const int64_t index : batch_) {
    source.data->Read(index, sample.data());
    try {
      source.converter->Convert(sample.data(), out);
    } catch (const Failure& failure) {
      throw Failure(Cat(source.data->name(), ": sample ", index, ": ", failure.what()));
    }
    out += ByteCount(row);
  }
  return tensor;
}

Shard ParseShard(const std::string& text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  const bool has_slash = index.ec == std::errc() && index.ptr != end && *index.ptr == '/';
  const auto count = has_slash ? std::from_chars(index.ptr + 1, end, shard.count) : index;
  if (!has_slash || count.ec != std::errc() || count.ptr != end || shard.index < 1 ||
      shard.index > shard.count)
    throw UsageError(Cat("--shard: found '", text, "', wanted I/N with I from 1 to N, as 3/16"));
  return shard;
}

std::vector<int64_t> EvenlySpaced(int64_t count, int64_t wanted) {
  if (wanted == 0 || wanted > count) wanted = count;
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < wanted; ++i) indices.push_back(i * count / wanted);
  return indices;
}

std::vector<int64_t> ReadLabels(const std::string& path, int64_t samples) {
  const DatasetPtr data = OpenDataset(path, "labels", 0);
  if (data->count() != samples)
    throw Failure(Cat(path, ": ", data->count(), " labels for ", samples, " samples"));
  std::vector<int64_t> labels(static_cast<size_t>(samples));
  try {
    Converter converter(data->sample(), Layout::kUnknown, {INTMILL_S64, {}}, {});
    std::vector<std::byte> sample(static_cast<size_t>(ByteCount(data->sample())));
    for (int64_t i = 0; i < samples; ++i) {
      data->Read(i, sample.data());
      converter.Convert(sample.data(),
                        reinterpret_cast<std::byte*>(&labels[static_cast<size_t>(i)]));
    }
  } catch (const Failure&) {
    throw Failure(
        Cat(path, ": labels are ", ArrayText(data->sample()), " each, wanted one u8, s32 or s64"));
  }
  return labels;
}

Tensor LabelsOf(const std::vector<int64_t>& labels, const std::vector<int64_t>& samples) {
  Tensor tensor(INTMILL_S64, {static_cast<int64_t>(samples.size())});
  int64_t* out = tensor.data<int64_t>();
  for (const int64_t sample : samples) *out++ = labels[static_cast<size_t>(sample)];
  return tensor;
}

}  // namespace intmill::cli
