// C entries about models and quantizing them.
#include "capi/calibrator_of.h"
#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/option_json.h"
#include "export/onnx.h"
#include "format/format.h"
#include "import/load.h"
#include "intmill/intmill.h"
#include "ir/graph.h"
#include "quant/calibrate.h"
#include "quant/certificate.h"
#include "quant/certify.h"
#include "quant/describe.h"
#include "quant/equalize.h"
#include "quant/learn_rounding.h"
#include "quant/plan_precisions.h"
#include "quant/quantize_graph.h"
#include "quant/smooth.h"

using namespace intmill;
using namespace intmill::capi;

namespace {

using ModelHandle = Result<std::unique_ptr<intmill_model>>;

constexpr uint32_t kFirstPortSize = 32;
static_assert(sizeof(intmill_port) >= kFirstPortSize);

ModelHandle WrapLoaded(Result<Loaded> read) {
  ASSIGN_OR_RETURN(Loaded loaded, std::move(read));
  auto handle = std::make_unique<intmill_model>();
  handle->graph = std::make_shared<const Graph>(std::move(loaded.graph));
  handle->origin = handle->graph;
  handle->compiled = std::move(loaded.compiled);
  handle->check_weights = std::move(loaded.check_weights);
  return handle;
}

ModelHandle WrapModel(Result<Graph> graph) {
  ASSIGN_OR_RETURN(Graph value, std::move(graph));
  auto handle = std::make_unique<intmill_model>();
  handle->graph = std::make_shared<const Graph>(std::move(value));
  handle->origin = handle->graph;
  return handle;
}

Result<const std::vector<ValueId>*> PortsOf(const intmill_model* m, intmill_side side) {
  TRY(CheckHandle(m, "m"));
  if (side == INTMILL_INPUT) return &m->graph->inputs;
  if (side == INTMILL_OUTPUT) return &m->graph->outputs;
  return Error(Code::kInvalidArgument, "side ", static_cast<int>(side), " is not known");
}

Result<intmill_port> Describe(const intmill_model* m, intmill_side side, int64_t index) {
  ASSIGN_OR_RETURN(const std::vector<ValueId>* ports, PortsOf(m, side));
  if (index < 0 || index >= static_cast<int64_t>(ports->size()))
    return Error(Code::kInvalidArgument, "port ", index, " does not exist, the model has ",
                 ports->size(), side == INTMILL_INPUT ? " inputs" : " outputs");
  const Value& value = m->graph->value((*ports)[static_cast<size_t>(index)]);
  intmill_port port = INTMILL_PORT_INIT;
  port.dtype = static_cast<intmill_dtype>(value.dtype);
  port.name = value.name.c_str();
  port.rank = value.shape ? static_cast<int64_t>(value.shape->size()) : -1;
  port.dims = value.shape ? value.shape->data() : nullptr;
  return port;
}

Result<Loaded> LoadLent(const void* data, int64_t bytes, intmill_free_fn free_fn, void* user,
                        const OptionBag& bag) {
  TRY(CheckList(data, bytes, "bytes"));
  // Models only read: the cast serves the caller's free function.
  const Lent lent(const_cast<void*>(data), free_fn, user);
  ASSIGN_OR_RETURN(const LoadOptions options, ToLoadOptions(bag));
  const std::span all(static_cast<const std::byte*>(data), static_cast<size_t>(bytes));
  const BlobPtr blob = std::make_shared<Blob>(all, [owner = lent.owner()] {});
  ASSIGN_OR_RETURN(Loaded loaded, LoadFromMemory(blob, options));
  lent.Take();
  return loaded;
}

// `place` is a path or a sink.
template <typename Place>
Status Save(const Graph& graph, const Place& place, const OptionBag& bag) {
  TRY(ToHooks(bag).Progress("save", 0, 1));
  return bag.Text(INTMILL_OPT_FORMAT) == "onnx" ? WriteOnnx(graph, place)
                                                : WriteModel(graph, place);
}

Result<Tensor> SaveToTensor(const Graph& graph, const OptionBag& bag) {
  std::vector<std::byte> file;
  const Sink sink = [&](std::span<const std::byte> piece) -> Status {
    file.insert(file.end(), piece.begin(), piece.end());
    return Ok();
  };
  TRY(Save(graph, sink, bag));
  ASSIGN_OR_RETURN(Tensor t, Tensor::Make(DType::kU8, {static_cast<int64_t>(file.size())}));
  std::ranges::copy(file, t.mutable_data<std::byte>());
  return t;
}

Result<Table> Certificates(const Graph& graph) {
  if (!HasCertificate(graph)) return Table{.columns = {"fact", "name", "value"}, .rows = {}};
  ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificate(graph));
  return DescribeCertificate(certificate, graph);
}

// With the options that made it, as whoever looks at the file later wants to know.
Result<Graph> QuantizeAs(const intmill_model* m, const intmill_probe* calibration,
                         const OptionBag& bag) {
  ASSIGN_OR_RETURN(const RoundingLearner* rounding, RoundingOf(calibration, m));
  Result<Graph> quantized = Graph();
  if (rounding != nullptr) {
    quantized = rounding->Quantize(*m->graph, ToSchemes(bag), ToHooks(bag));
  } else {
    ASSIGN_OR_RETURN(const Calibrator* calibrator, CalibratorOf(calibration, m));
    quantized = QuantizeGraph(*m->graph, calibrator, ToSchemes(bag), ToHooks(bag));
  }
  if (quantized.ok()) quantized->metadata[kRecipeKey] = OptionsToJson(bag.Quantizing());
  return quantized;
}

// What a compiled session was made for comes with the metadata of its model.
Table Metadata(const intmill_model& m) {
  Table table = DescribeMetadata(*m.graph);
  if (m.compiled == nullptr) return table;
  for (const CompiledFact& fact : m.compiled->facts)
    table.Add({Cat("compiled for ", fact.name), fact.value});
  std::string shapes;
  for (const CompiledPlan& plan : m.compiled->plans)
    for (const Shape& shape : plan.input_shapes)
      shapes += (shapes.empty()                         ? ""
                 : &shape == &plan.input_shapes.front() ? "; "
                                                        : ", ") +
                ToString(shape);
  table.Add({std::string("compiled for inputs"), shapes});
  return table;
}

Result<Table> Report(const intmill_model& m, intmill_report_kind kind) {
  const Graph& graph = *m.graph;
  if (kind == INTMILL_REPORT_LAYERS) return DescribeLayers(graph);
  if (kind == INTMILL_REPORT_METADATA) return Metadata(m);
  if (kind == INTMILL_REPORT_CERTIFICATE) return Certificates(graph);
  return Error(Code::kInvalidArgument, "report kind ", static_cast<int>(kind),
               " is not one of a model");
}

}  // namespace

intmill_status intmill_model_load(const char* path, const intmill_options* opts,
                                  intmill_model** out) {
  return Create(out, [&]() -> ModelHandle {
    TRY(CheckPointer(path, "path"));
    TRY(CheckOptions(opts));
    ASSIGN_OR_RETURN(const LoadOptions options, ToLoadOptions(BagOf(opts)));
    return WrapLoaded(LoadFile(path, options));
  });
}

intmill_status intmill_model_load_memory(const void* data, int64_t bytes, intmill_free_fn free_fn,
                                         void* user, const intmill_options* opts,
                                         intmill_model** out) {
  return Create(out, [&]() -> ModelHandle {
    TRY(CheckPointer(data, "data"));
    TRY(CheckOptions(opts));
    return WrapLoaded(LoadLent(data, bytes, free_fn, user, BagOf(opts)));
  });
}

intmill_status intmill_model_save(const intmill_model* m, const char* path,
                                  const intmill_options* opts) {
  return Guard([&]() -> Status {
    TRY(CheckModel(m, "m"));
    TRY(CheckPointer(path, "path"));
    TRY(CheckOptions(opts));
    return Save(*m->graph, std::string(path), BagOf(opts));
  });
}

intmill_status intmill_model_save_memory(const intmill_model* m, const intmill_options* opts,
                                         intmill_tensor** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_tensor>> {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    return WrapTensor(SaveToTensor(*m->graph, BagOf(opts)));
  });
}

void intmill_model_release(intmill_model* m) { Release(m); }

int64_t intmill_model_port_count(const intmill_model* m, intmill_side side) {
  return Get<int64_t>(0, [&] {
    const auto ports = PortsOf(m, side);
    return ports.ok() ? static_cast<int64_t>((*ports)->size()) : 0;
  });
}

intmill_status intmill_model_port(const intmill_model* m, intmill_side side, int64_t index,
                                  intmill_port* port) {
  return Guard([&]() -> Status {
    TRY(CheckPointer(port, "port"));
    ASSIGN_OR_RETURN(const intmill_port found, Describe(m, side, index));
    return FillStruct(found, kFirstPortSize, port);
  });
}

intmill_status intmill_model_report(const intmill_model* m, intmill_report_kind kind,
                                    intmill_report** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_report>> {
    TRY(CheckModel(m, "m"));
    return WrapReport(Report(*m, kind));
  });
}

intmill_status intmill_model_annotate(const intmill_model* m, const char* key, const char* value,
                                      intmill_model** out) {
  return Create(out, [&]() -> ModelHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckPointer(key, "key"));
    TRY(CheckPointer(value, "value"));
    Graph graph = *m->graph;  // its tensors are shared
    TRY(Annotate(graph, key, value));
    ASSIGN_OR_RETURN(auto annotated, WrapModel(std::move(graph)));
    annotated->origin = m->origin;
    return annotated;
  });
}

intmill_status intmill_quantize(const intmill_model* m, const intmill_probe* calibration,
                                const intmill_options* opts, intmill_model** out) {
  return Create(out, [&]() -> ModelHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    return WrapModel(QuantizeAs(m, calibration, BagOf(opts)));
  });
}

intmill_status intmill_model_certify(const intmill_model* m, const intmill_probe* certifying,
                                     intmill_model** out) {
  return Create(out, [&]() -> ModelHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckHandle(certifying, "certifying"));
    if (certifying->certifier == nullptr)
      return Error(Code::kInvalidArgument, "certifying is a probe of another kind");
    if (!certifying->was_fed) return Error(Code::kState, "the probe was not fed yet");
    ASSIGN_OR_RETURN(auto certified,
                     WrapModel(certifying->certifier->Certify(*m->graph, VersionText())));
    certified->origin = m->origin;
    return certified;
  });
}

intmill_status intmill_plan_precisions(int64_t n_layers, int64_t n_precisions, const double* noise,
                                       const double* cost, double max_noise, int64_t* chosen) {
  return Guard([&]() -> Status {
    TRY(CheckList(noise, n_layers, "noise"));
    TRY(CheckList(cost, n_layers, "cost"));
    TRY(CheckList(chosen, n_layers, "chosen"));
    if (n_precisions < 1 || n_precisions > 256)
      return Error(Code::kInvalidArgument, "found ", n_precisions, " precisions, wanted 1 to 256");
    const auto n = static_cast<size_t>(n_layers) * static_cast<size_t>(n_precisions);
    ASSIGN_OR_RETURN(const std::vector<int64_t> plan,
                     PlanPrecisions(n_precisions, {noise, n}, {cost, n}, max_noise));
    std::ranges::copy(plan, chosen);
    return Ok();
  });
}

intmill_status intmill_equalize(const intmill_model* m, const intmill_options* opts,
                                intmill_model** out) {
  return Create(out, [&]() -> ModelHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    const OptionBag& bag = BagOf(opts);
    const bool with_clips = bag.Integer(INTMILL_OPT_EQUALIZE_CLIPS) != 0;
    ASSIGN_OR_RETURN(Equalized equalized, Equalize(*m->graph, with_clips, ToHooks(bag)));
    return WrapModel(std::move(equalized.graph));
  });
}

intmill_status intmill_smooth(const intmill_model* m, const intmill_probe* calibration,
                              const intmill_options* opts, intmill_model** out) {
  return Create(out, [&]() -> ModelHandle {
    TRY(CheckModel(m, "m"));
    TRY(CheckOptions(opts));
    TRY(CheckPointer(calibration, "calibration"));
    ASSIGN_OR_RETURN(const Calibrator* calibrator, CalibratorOf(calibration, m));
    if (calibrator->samples() == 0) return Error(Code::kState, "the calibration has seen no data");
    const OptionBag& bag = BagOf(opts);
    const FindStatistics find = [&](std::string_view name) { return calibrator->Find(name); };
    ASSIGN_OR_RETURN(Smoothed smoothed,
                     Smooth(*m->graph, find, bag.Float(INTMILL_OPT_SMOOTH_ALPHA),
                            bag.Integer(INTMILL_OPT_PER_CHANNEL) != 0, ToHooks(bag)));
    return WrapModel(std::move(smoothed.graph));
  });
}
