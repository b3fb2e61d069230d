// The reference behind the kernel interface, and the two kernels that only move bytes.
#include "engine/reference_kernel.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/checked.h"
#include "base/memory.h"
#include "engine/layout.h"
#include "engine/post_ops.h"
#include "kernels/native/strided_copy.h"
#include "kernels/native/transpose.h"
#include "tensor/half.h"
#include "tensor/quantize.h"

namespace intmill {
namespace {

int64_t ElementBytes(DType dtype) { return std::max<int64_t>(1, BitsOf(dtype) / 8); }

// Turns memory in `from` layout into the other one.
void Reorder(const Shape& shape, DType dtype, Layout from, const void* src, void* dst) {
  const int64_t batch = shape[0];
  const int64_t channels = shape[1];
  int64_t positions = 1;
  for (size_t i = 2; i < shape.size(); ++i) positions *= shape[i];
  const bool to_plain = from == Layout::kChannelsLast;
  TransposeMatrices(src, dst, batch, to_plain ? positions : channels,
                    to_plain ? channels : positions, ElementBytes(dtype));
}

// The numbers that an operand with a meaning stands for.
Result<Tensor> Real(Tensor t, const QParamsPtr& qparams) {
  if (t.dtype() == DType::kBf16) return FromBf16(t);
  t.set_qparams(qparams);
  return Dequantize(t);
}

// An operand as the reference wants it: row-major, and float where integers stand for real numbers
// or a product has BF16.
struct Side {
  Operand operand;
  QParamsPtr qparams;          // a copy: the kernel outlives the graph
  DType dtype = DType::kNone;  // of the tensor that the reference sees
  bool reorders = false;
  bool converts = false;       // between integers or BF16 and float
  int64_t reorder_offset = 0;  // scratch for the row-major copy, where reorders
  int64_t convert_offset = 0;  // scratch for the float tensor, where converts
  Tensor constant;             // a constant input, already converted
};

class ReferenceKernel final : public Kernel {
 public:
  explicit ReferenceKernel(const Node& node) : node_(node) {}

  static Result<std::unique_ptr<Kernel>> Make(const LowerArgs& args) {
    auto kernel = std::make_unique<ReferenceKernel>(args.node);
    // Operators that only move elements do so with integers as well as with floats, and Q and DQ
    // are about the integers themselves.
    const OpDef& op = *args.node.op;
    const bool keeps_integers = (op.Has(kMovesData) && args.node.post_ops.empty()) ||
                                op.Has(kQuantize) || op.Has(kDequantize);
    for (const Operand& operand : args.inputs) {
      ASSIGN_OR_RETURN(Side side, kernel->MakeSide(operand, keeps_integers));
      kernel->inputs_.push_back(std::move(side));
    }
    for (const Operand& operand : args.outputs) {
      ASSIGN_OR_RETURN(Side side, kernel->MakeSide(operand, keeps_integers));
      kernel->outputs_.push_back(std::move(side));
    }
    return std::unique_ptr<Kernel>(std::move(kernel));
  }

  std::string_view name() const override { return "reference"; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  bool packs_input(int64_t i) const override {
    return inputs_[static_cast<size_t>(i)].constant.valid();
  }

  Status Run(const RunArgs& args, KernelState*) const override {
    std::vector<Tensor> tensors(inputs_.size());
    std::vector<const Tensor*> inputs(inputs_.size(), nullptr);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (!inputs_[i].operand.present) continue;
      ASSIGN_OR_RETURN(tensors[i], ReadInput(inputs_[i], args.inputs[i], args.scratch));
      inputs[i] = &tensors[i];
    }
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < outputs_.size(); ++i)
      outputs.push_back(OutputView(outputs_[i], args.outputs[i], args.scratch));
    TRY(node_.op->reference({node_, inputs, outputs}));
    for (const PostOp& op : node_.post_ops) {
      const float* other = op.kind == PostOp::Kind::kAdd
                               ? inputs[static_cast<size_t>(op.input)]->data<float>()
                               : nullptr;
      ApplyPostOp(op, outputs[0].mutable_data<float>(), outputs[0].elements(), other);
    }
    for (size_t i = 0; i < outputs_.size(); ++i)
      TRY(WriteOutput(outputs_[i], outputs[i], args.outputs[i], args.scratch));
    return Ok();
  }

 private:
  Result<Side> MakeSide(const Operand& operand, bool keeps_integers) {
    Side side{.operand = operand, .dtype = operand.dtype};
    if (!operand.present) return side;
    if (operand.qparams != nullptr)
      side.qparams = std::make_shared<const QParams>(*operand.qparams);
    const bool is_half = operand.dtype == DType::kBf16 && node_.op->multiply_adds != nullptr;
    side.converts = is_half || (operand.qparams != nullptr && !keeps_integers);
    if (side.converts) side.dtype = DType::kF32;
    if (operand.constant != nullptr) {
      side.constant = *operand.constant;
      if (side.converts) {
        ASSIGN_OR_RETURN(side.constant, Real(std::move(side.constant), side.qparams));
      }
      return side;
    }
    side.reorders = operand.layout == Layout::kChannelsLast && !LayoutsCoincide(operand.shape);
    if (side.reorders) TRY(Reserve(NumBytes(operand.shape, operand.dtype), &side.reorder_offset));
    if (side.converts) TRY(Reserve(NumBytes(operand.shape, DType::kF32), &side.convert_offset));
    return side;
  }

  Status Reserve(int64_t bytes, int64_t* offset) {
    *offset = scratch_bytes_;
    int64_t rounded = 0;
    if (!AlignUpFits(bytes, kAlignment, &rounded) ||
        !AddFits(scratch_bytes_, rounded, &scratch_bytes_))
      return Error(Code::kOutOfMemory, Place(node_), ": scratch memory does not fit");
    return Ok();
  }

  static Result<Tensor> ReadInput(const Side& side, const void* data, std::byte* scratch) {
    if (side.constant.valid()) return side.constant;
    const Operand& operand = side.operand;
    if (side.reorders) {
      Reorder(operand.shape, operand.dtype, Layout::kChannelsLast, data,
              scratch + side.reorder_offset);
      data = scratch + side.reorder_offset;
    }
    Tensor t = Tensor::View(operand.dtype, operand.shape, data, nullptr);
    if (!side.converts) return t;
    return Real(std::move(t), side.qparams);
  }

  static Tensor OutputView(const Side& side, void* data, std::byte* scratch) {
    if (!side.operand.present) return {};
    if (side.reorders) data = scratch + side.reorder_offset;
    if (side.converts) data = scratch + side.convert_offset;
    return Tensor::View(side.dtype, side.operand.shape, data, nullptr);
  }

  static Status WriteOutput(const Side& side, const Tensor& computed, void* data,
                            std::byte* scratch) {
    const Operand& operand = side.operand;
    if (!operand.present) return Ok();
    std::byte* plain =
        static_cast<std::byte*>(side.reorders ? scratch + side.reorder_offset : data);
    if (side.converts) {
      const bool is_half = operand.dtype == DType::kBf16;
      ASSIGN_OR_RETURN(const Tensor q,
                       is_half ? ToBf16(computed) : Quantize(computed, *side.qparams));
      std::memcpy(plain, q.data<void>(), static_cast<size_t>(q.bytes()));
    }
    if (side.reorders) Reorder(operand.shape, operand.dtype, Layout::kPlain, plain, data);
    return Ok();
  }

  Node node_;
  std::vector<Side> inputs_;
  std::vector<Side> outputs_;
  int64_t scratch_bytes_ = 0;
};

class CopyKernel final : public Kernel {
 public:
  explicit CopyKernel(int64_t bytes) : bytes_(bytes) {}
  std::string_view name() const override { return "copy"; }
  Status Run(const RunArgs& args, KernelState*) const override {
    if (bytes_ > 0) std::memcpy(args.outputs[0], args.inputs[0], static_cast<size_t>(bytes_));
    return Ok();
  }

 private:
  int64_t bytes_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> MakeReferenceKernel(const LowerArgs& args) {
  if (args.node.op->reference == nullptr)
    return Error(Code::kUnsupported, Place(args.node), ": has no reference");
  return ReferenceKernel::Make(args);
}

std::unique_ptr<Kernel> MakeReorder(const Shape& shape, DType dtype, Layout to, Isa isa) {
  const int64_t channels = shape[1];
  int64_t positions = 1;
  for (size_t i = 2; i < shape.size(); ++i) positions *= shape[i];
  const Shape plain = {channels * positions, positions, 1};
  const Shape channels_last = {channels * positions, 1, channels};
  const bool to_plain = to == Layout::kPlain;
  const native::CopyPart part{.shape = {shape[0], channels, positions},
                              .input_strides = to_plain ? channels_last : plain,
                              .output_strides = to_plain ? plain : channels_last};
  // Elements are of 1, 2, 4 or 8 bytes, all of which the kernel takes.
  return *native::MakeStridedCopy(ElementBytes(dtype), {part}, isa);
}

std::unique_ptr<Kernel> MakeCopy(int64_t bytes) { return std::make_unique<CopyKernel>(bytes); }

}  // namespace intmill
