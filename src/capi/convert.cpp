// Conversions of arguments; options in particular.
#include "capi/convert.h"

#include <mutex>
#include <utility>

#include "capi/guard.h"

namespace intmill::capi {
namespace {

std::function<void(LogLevel, const std::string&)> ToLog(const OptionBag& bag) {
  if (bag.log == nullptr) return {};
  // The header promises: never on two threads at once for one operation.
  return [fn = bag.log, user = bag.log_user, mutex = std::make_shared<std::mutex>()](
             LogLevel level, const std::string& message) {
    const std::lock_guard lock(*mutex);
    fn(user, static_cast<int32_t>(level), message.c_str());
  };
}

std::function<bool(const char*, int64_t, int64_t)> ToProgress(const OptionBag& bag) {
  if (bag.progress == nullptr) return {};
  return [fn = bag.progress, user = bag.progress_user](const char* stage, int64_t done,
                                                       int64_t total) {
    const intmill_progress now = {.struct_size = sizeof(intmill_progress),
                                  .reserved = 0,
                                  .stage = stage,
                                  .done = done,
                                  .total = total};
    return fn(user, &now) == 0;
  };
}

void Change(LayerScheme& scheme, int32_t key, const OptionValue& value) {
  if (key == INTMILL_OPT_PERCENTILE) {
    scheme.percentile = std::get<double>(value);
    return;
  }
  if (key == INTMILL_OPT_GPTQ_DAMPING) {
    scheme.gptq_damping = std::get<double>(value);
    return;
  }
  const auto number = std::get<int64_t>(value);
  switch (key) {
    case INTMILL_OPT_SCHEME:
      scheme.scheme = static_cast<Scheme>(number);
      break;
    case INTMILL_OPT_WEIGHT_DTYPE:
      scheme.weight_dtype = static_cast<DType>(number);
      break;
    case INTMILL_OPT_ACTIVATION_DTYPE:
      scheme.activation_dtype = static_cast<DType>(number);
      break;
    case INTMILL_OPT_WEIGHT_SYMMETRIC:
      scheme.weight_symmetric = number != 0;
      break;
    case INTMILL_OPT_ACT_SYMMETRIC:
      scheme.activation_symmetric = number != 0;
      break;
    case INTMILL_OPT_PER_CHANNEL:
      scheme.per_channel = number != 0;
      break;
    case INTMILL_OPT_CALIBRATION:
      scheme.calibration = static_cast<Calibration>(number);
      break;
    case INTMILL_OPT_SKIP:
      scheme.skip = number != 0;
      break;
    case INTMILL_OPT_TARGET:
      scheme.target = static_cast<Target>(number);
      break;
    case INTMILL_OPT_WEIGHT_RANGE:
      scheme.weight_range = static_cast<WeightRange>(number);
      break;
    case INTMILL_OPT_BIAS_CORRECTION:
      scheme.bias_correction = static_cast<BiasCorrection>(number);
      break;
    case INTMILL_OPT_GROUP_SIZE:
      scheme.group_size = number;
      break;
    case INTMILL_OPT_GPTQ:
      scheme.gptq = number != 0;
      break;
    case INTMILL_OPT_GPTQ_ORDER:
      scheme.gptq_ordered = number != 0;
      break;
    default:
      break;  // not about layers
  }
}

}  // namespace

Hooks ToHooks(const OptionBag& bag) { return {.log = ToLog(bag), .progress = ToProgress(bag)}; }

PassOptions ToPassOptions(const OptionBag& bag) {
  PassOptions options;
  options.disabled = SplitNames(bag.Text(INTMILL_OPT_DISABLE_PASSES));
  if (const int64_t limit = bag.Integer(INTMILL_OPT_MEMORY_LIMIT); limit > 0)
    options.fold_limit_bytes = std::min(options.fold_limit_bytes, limit);
  options.hooks = ToHooks(bag);
  return options;
}

Result<LoadOptions> ToLoadOptions(const OptionBag& bag) {
  LoadOptions options;
  const std::string format = bag.Text(INTMILL_OPT_FORMAT);
  options.kind = format == "onnx"      ? FileKind::kOnnx
                 : format == "intmill" ? FileKind::kIntmill
                                       : FileKind::kAuto;
  ASSIGN_OR_RETURN(const auto dims, ParseDims(bag.Text(INTMILL_OPT_DYNAMIC_DIMS)));
  for (const auto& [name, size] : dims) options.dims[name] = size;
  options.passes = ToPassOptions(bag);
  return options;
}

SessionOptions ToSessionOptions(const OptionBag& bag) {
  SessionOptions options;
  options.threads = bag.Integer(INTMILL_OPT_THREADS);
  options.memory_limit = bag.Integer(INTMILL_OPT_MEMORY_LIMIT);
  options.profile = bag.Integer(INTMILL_OPT_PROFILE) != 0;
  options.rebuild_stale = bag.Integer(INTMILL_OPT_REBUILD_STALE) != 0;
  options.passes = ToPassOptions(bag);
  return options;
}

SchemeTable ToSchemes(const OptionBag& bag) {
  SchemeTable table;
  for (OptionBag::Entry& entry : bag.InOrder()) {
    if (!entry.row->per_layer) continue;
    table.Add(std::move(entry.layer), [key = entry.row->key, value = std::move(entry.value)](
                                          LayerScheme& scheme) { Change(scheme, key, value); });
  }
  return table;
}

LayerScheme ToScheme(const OptionBag& bag) {
  LayerScheme scheme;
  for (const OptionBag::Entry& entry : bag.InOrder())
    if (entry.layer.empty() && entry.row->per_layer) Change(scheme, entry.row->key, entry.value);
  return scheme;
}

Result<Shape> ToShape(intmill_dtype dtype, int64_t rank, const int64_t* dims) {
  if (rank < 0 || rank > kMaxRank)
    return Error(Code::kInvalidArgument, "rank is ", rank, ", wanted 0..", kMaxRank);
  TRY(CheckList(dims, rank, "dims"));
  Shape shape(dims, dims + rank);
  const auto type = static_cast<DType>(dtype);
  if (type == DType::kS4 || type == DType::kU4)
    return Error(Code::kInvalidArgument, "element type ", DTypeName(type),
                 " is for weights inside models, wanted one of whole bytes");
  TRY(CheckShape(shape, type));
  return shape;
}

Result<std::vector<Tensor>> ToTensors(intmill_tensor* const* handles, int64_t count,
                                      std::string_view what) {
  TRY(CheckList(handles, count, what));
  std::vector<Tensor> tensors;
  for (int64_t i = 0; i < count; ++i) {
    TRY(CheckHandle(handles[i], Cat(what, '[', i, ']')));
    tensors.push_back(handles[i]->value);
  }
  return tensors;
}

}  // namespace intmill::capi
