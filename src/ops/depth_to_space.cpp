// DepthToSpace and SpaceToDepth: blocks of channels to blocks of pixels, and back.
#include "base/checked.h"
#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Result<int64_t> BlockSize(const Node& node) {
  ASSIGN_OR_RETURN(const int64_t block, node.attrs.Int("blocksize", 0));
  if (block < 1 || block > kMaxDim)
    return Error(Code::kInvalidArgument, "attribute 'blocksize' is ", block);
  return block;
}

Result<int64_t> Divided(int64_t dim, int64_t by) {
  if (dim == kDynamic) return kDynamic;
  if (dim % by == 0) return dim / by;
  return Error(Code::kShape, "dimension ", dim, " is not a multiple of ", by);
}

Result<int64_t> Times(int64_t dim, int64_t by) {
  int64_t product = 0;
  if (dim == kDynamic) return kDynamic;
  if (MulFits(dim, by, &product)) return product;
  return Error(Code::kShape, "dimension ", dim, " times ", by, " is too large");
}

Status InferBlocks(InferContext& context, bool to_space) {
  const Shape* in = context.shape(0);
  std::optional<Shape> out;
  ASSIGN_OR_RETURN(const int64_t block, BlockSize(context.node()));
  if (in != nullptr) {
    if (in->size() != 4) return Error(Code::kShape, "input has rank ", in->size(), ", wanted 4");
    ASSIGN_OR_RETURN(const int64_t area, Times(block, block));
    const auto channels = to_space ? Divided : Times;
    const auto pixels = to_space ? Times : Divided;
    out = *in;
    ASSIGN_OR_RETURN((*out)[1], channels((*in)[1], area));
    ASSIGN_OR_RETURN((*out)[2], pixels((*in)[2], block));
    ASSIGN_OR_RETURN((*out)[3], pixels((*in)[3], block));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

Status InferToSpace(InferContext& context) { return InferBlocks(context, true); }
Status InferToDepth(InferContext& context) { return InferBlocks(context, false); }

// The six dimensions (n, block row, block column, c, h, w) on the deep and on the wide side. DCR:
// deep channel = (row * block + column) * C + c; CRD: (c * block + row) * block + column.
Result<native::CopyPart> SixDims(const Move& move, const Move::Side& deep, const Move::Side& wide,
                                 bool to_space) {
  ASSIGN_OR_RETURN(const int64_t block, BlockSize(move.node()));
  ASSIGN_OR_RETURN(const std::string mode, move.node().attrs.String("mode", "DCR"));
  const bool is_dcr = mode == "DCR";
  if (!is_dcr && mode != "CRD")
    return Error(Code::kInvalidArgument, "attribute 'mode' is '", mode, "', wanted DCR or CRD");
  const int64_t channels = wide.shape[1];
  const Shape& d = deep.strides;
  const Shape& w = wide.strides;
  const Shape deep_strides = {d[0],
                              (is_dcr ? block * channels : block) * d[1],
                              (is_dcr ? channels : 1) * d[1],
                              (is_dcr ? 1 : block * block) * d[1],
                              d[2],
                              d[3]};
  const Shape wide_strides = {w[0], w[2], w[3], w[1], block * w[2], block * w[3]};
  return native::CopyPart{
      .shape = {deep.shape[0], block, block, channels, deep.shape[2], deep.shape[3]},
      .input_strides = to_space ? deep_strides : wide_strides,
      .output_strides = to_space ? wide_strides : deep_strides};
}

Result<std::vector<native::CopyPart>> ToSpaceParts(const Move& move) {
  ASSIGN_OR_RETURN(const native::CopyPart part, SixDims(move, move.in(), move.out(), true));
  return std::vector{part};
}

Result<std::vector<native::CopyPart>> ToDepthParts(const Move& move) {
  ASSIGN_OR_RETURN(const native::CopyPart part, SixDims(move, move.out(), move.in(), false));
  return std::vector{part};
}

constexpr OpDef kOps[] = {
    {
        .name = "DepthToSpace",
        .traits = kMovesData,
        .layout = LayoutRule::kFollow,
        .quant = QuantRule::kSameScale,
        .infer = InferToSpace,
        .reference = MoveReference<ToSpaceParts>,
        .lower = LowerMove<ToSpaceParts>,
    },
    {
        .name = "SpaceToDepth",
        .traits = kMovesData,
        .layout = LayoutRule::kFollow,
        .quant = QuantRule::kSameScale,
        .infer = InferToDepth,
        .reference = MoveReference<ToDepthParts>,
        .lower = LowerMove<ToDepthParts>,
    },
};

}  // namespace

std::span<const OpDef> DepthToSpaceOps() { return kOps; }

}  // namespace intmill::ops
