// intmill run: feeds data to a model and writes what comes out into an .npz file.
#include <chrono>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/error.h"
#include "cli/json.h"
#include "cli/npz_writer.h"

namespace intmill::cli {
namespace {

struct RunOptions {
  CommonOptions common;
  DataOptions data;
  std::string model;
  std::string output;
};

// Collects the outputs of all batches, one array for each output of the model. The first batch
// tells the shapes: an output that has as many rows as the batch has samples is continued, any
// other is stacked, one for each sample.
class OutputCollector {
 public:
  OutputCollector(std::string path, std::vector<Port> ports, int64_t samples)
      : path_(std::move(path)), ports_(std::move(ports)), samples_(samples) {}

  void Add(const std::vector<Tensor>& outputs, int64_t batch) {
    if (!writer_) Open(outputs, batch);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (SampleDims(outputs[i], i, batch) != sample_dims_[i])
        throw Failure(Cat("output '", ports_[i].name, "': ", ShapeText(outputs[i].dims()),
                          " for a batch of ", batch, ", another shape than before"));
      writer_->Append(i, {outputs[i].data<std::byte>(), static_cast<size_t>(outputs[i].bytes())});
    }
  }

  std::vector<NpzWriter::Array> Finish() {
    writer_->Finish();
    return arrays_;
  }

 private:
  Dims SampleDims(const Tensor& output, size_t index, int64_t batch) const {
    Dims dims = output.dims();
    if (!dims.empty() && dims[0] == batch) {
      dims.erase(dims.begin());
    } else if (batch != 1) {
      throw Failure(Cat("output '", ports_[index].name, "': ", ShapeText(dims), " for a batch of ",
                        batch, " cannot be divided among the samples; use --batch 1"));
    }
    return dims;
  }

  void Open(const std::vector<Tensor>& outputs, int64_t batch) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      sample_dims_.push_back(SampleDims(outputs[i], i, batch));
      Dims dims = sample_dims_.back();
      dims.insert(dims.begin(), samples_);
      arrays_.push_back({ports_[i].name, {outputs[i].dtype(), dims}});
    }
    writer_ = std::make_unique<NpzWriter>(path_, arrays_);
  }

  std::string path_;
  std::vector<Port> ports_;
  int64_t samples_;
  std::vector<NpzWriter::Array> arrays_;
  std::vector<Dims> sample_dims_;
  std::unique_ptr<NpzWriter> writer_;
};

void PrintResult(const RunOptions& options, const std::vector<NpzWriter::Array>& arrays,
                 int64_t samples, double seconds) {
  if (options.common.json) {
    std::vector<std::string> outputs;
    for (const auto& [name, type] : arrays) {
      outputs.push_back(JsonObject()
                            .Text("name", name)
                            .Text("dtype", DTypeName(type.dtype))
                            .Raw("shape", JsonArray(type.dims))
                            .text());
    }
    const JsonObject result = JsonObject()
                                  .Integer("samples", samples)
                                  .Number("seconds", seconds, 3)
                                  .Raw("outputs", JsonArray(outputs));
    std::printf("%s\n", result.text().c_str());
    return;
  }
  std::printf("%s: %lld samples in %s s\n", options.output.c_str(), static_cast<long long>(samples),
              FormatNumber(seconds, 2).c_str());
  for (const auto& [name, type] : arrays)
    std::printf("  %s  %s\n", Printable(name).c_str(), ArrayText(type).c_str());
}

int RunModel(const RunOptions& options) {
  Work work(options.common);
  const Model model = work.Load(options.model);
  Feeder feeder(model, options.model, options.data);
  NoteRawBytes(work, feeder);
  const Session session(model, work.options());
  OutputCollector collector(options.output, model.Ports(INTMILL_OUTPUT), feeder.count());
  const auto start = std::chrono::steady_clock::now();
  work.ForEachBatch("run", feeder, [&](const std::vector<Tensor>& inputs) {
    collector.Add(session.Run(inputs), static_cast<int64_t>(feeder.batch().size()));
  });
  const auto arrays = collector.Finish();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  PrintResult(options, arrays, feeder.count(), elapsed.count());
  return 0;
}

constexpr const char* kFooter =
    "Each output of the model becomes one array in OUT.npz, under its name; the first dimension\n"
    "counts the samples. Only one batch is in memory at a time.\n"
    "\n"
    "Examples:\n"
    "  intmill run model.im --data image=x.npy -o outputs.npz\n"
    "  intmill run model.im --data image=photos/ --size 224 --scale 1/255 -o outputs.npz\n"
    "  intmill run model.im --data left=a.npy --data right=b.npy -o outputs.npz\n"
    "  python3 -c \"import numpy; print(numpy.load('outputs.npz')['logits'].argmax(1))\"\n"
    "\n"
    "JSON: {\"samples\",\"seconds\",\"outputs\":[{\"name\",\"dtype\",\"shape\"}]}";

}  // namespace

void AddRun(CommandLine& line) {
  auto options = std::make_shared<RunOptions>();
  Command command = line.Add("run", "Run a model on data, into an .npz file");
  command.Footer(kFooter);
  command.Positional("MODEL", options->model, "An .onnx, .im or .ims file");
  command.Text("-o,--output", "OUT.npz", options->output, Need::kRequired,
               "The file to write; replaced as a whole");
  AddDataOptions(command, options->data, Need::kRequired);
  AddRebuildOption(command, options->common);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return RunModel(*options); });
}

}  // namespace intmill::cli
