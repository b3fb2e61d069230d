// PatchReader: geometry from the node's attributes, numbers from the tensor that a tap sees.
#include "quant/patches.h"

#include <algorithm>
#include <string>

#include "tensor/quantize.h"

namespace intmill {
namespace {

constexpr size_t kDims = 3;

// The last values of a list of integers, in the last places; false when there are too many.
bool FillLast(const std::vector<int64_t>& from, std::array<int64_t, kDims>* to) {
  if (from.size() > kDims) return false;
  std::copy(from.begin(), from.end(), to->end() - static_cast<std::ptrdiff_t>(from.size()));
  return true;
}

}  // namespace

// One sample in memory: channels and places with their distances.
struct PatchReader::Picture {
  const float* data = nullptr;
  Three sizes = {1, 1, 1};
  Three distances = {0, 0, 0};
  int64_t channel_distance = 1;
  Three outputs = {1, 1, 1};
  Three pads = {0, 0, 0};
};

std::optional<PatchReader> PatchReader::Of(const Graph& graph, const Node& node) {
  const Tensor* const weight = graph.ConstantOf(node.inputs[1]);
  if (weight == nullptr) return {};
  PatchReader reader;
  reader.channels_ = InputChannelsOf(node, *weight);
  if (reader.channels_.count == 0) return {};
  if (!reader.channels_.is_spatial) return reader;

  const std::vector<int64_t> kernel(weight->shape().begin() + 2, weight->shape().end());
  const std::vector<int64_t> ones(kernel.size(), 1);
  const auto strides = node.attrs.Ints("strides", ones);
  const auto dilations = node.attrs.Ints("dilations", ones);
  const auto pads = node.attrs.Ints("pads", std::vector<int64_t>(2 * kernel.size(), 0));
  const auto mode = node.attrs.String("auto_pad", "NOTSET");
  if (!strides.ok() || !dilations.ok() || !pads.ok() || !mode.ok()) return {};
  if (strides->size() != kernel.size() || dilations->size() != kernel.size() ||
      pads->size() != 2 * kernel.size())
    return {};
  const auto middle = pads->begin() + static_cast<std::ptrdiff_t>(kernel.size());
  if (!FillLast(kernel, &reader.kernel_) || !FillLast(*strides, &reader.strides_) ||
      !FillLast(*dilations, &reader.dilations_) ||
      !FillLast({pads->begin(), middle}, &reader.pads_) ||
      !FillLast({middle, pads->end()}, &reader.pads_end_))
    return {};
  reader.odd_in_front_ = *mode == "SAME_LOWER";
  reader.pads_are_same_ = reader.odd_in_front_ || *mode == "SAME_UPPER";
  for (const int64_t k : kernel) reader.window_ *= k;
  return reader;
}

PatchReader::Three PatchReader::OutputSizes(const Three& sizes, Three* pads) const {
  Three outputs = {};
  for (size_t d = 0; d < kDims; ++d) {
    const int64_t reach = (kernel_[d] - 1) * dilations_[d] + 1;
    if (pads_are_same_) {
      outputs[d] = (sizes[d] + strides_[d] - 1) / strides_[d];
      const int64_t all = std::max<int64_t>(0, (outputs[d] - 1) * strides_[d] + reach - sizes[d]);
      (*pads)[d] = odd_in_front_ ? (all + 1) / 2 : all / 2;
    } else {
      const int64_t room = sizes[d] + pads_[d] + pads_end_[d] - reach;
      outputs[d] = room < 0 ? 0 : room / strides_[d] + 1;
      (*pads)[d] = pads_[d];
    }
  }
  return outputs;
}

void PatchReader::ReadRow(const Picture& picture, int64_t position, const QParams& q,
                          int16_t* row) const {
  const auto lo = static_cast<int32_t>(MinOf(q.dtype));
  const auto hi = static_cast<int32_t>(MaxOf(q.dtype));
  Three begin = {};
  for (size_t d = kDims; d-- > 0; position /= picture.outputs[d])
    begin[d] = position % picture.outputs[d] * strides_[d] - picture.pads[d];
  int64_t k = 0;
  for (int64_t z = 0; z < kernel_[0]; ++z) {
    for (int64_t y = 0; y < kernel_[1]; ++y) {
      for (int64_t x = 0; x < kernel_[2]; ++x, ++k) {
        const Three at = {begin[0] + z * dilations_[0], begin[1] + y * dilations_[1],
                          begin[2] + x * dilations_[2]};
        int64_t offset = 0;
        bool is_inside = true;
        for (size_t d = 0; d < kDims; ++d) {
          is_inside = is_inside && at[d] >= 0 && at[d] < picture.sizes[d];
          offset += at[d] * picture.distances[d];
        }
        for (int64_t c = 0; c < channels_.count; ++c) {
          const float* const p = picture.data + offset + c * picture.channel_distance;
          row[c * window_ + k] =
              is_inside
                  ? static_cast<int16_t>(QuantizeValue(*p, q.scales[0], q.zero_points[0], lo, hi) -
                                         q.zero_points[0])
                  : int16_t{0};
        }
      }
    }
  }
}

void PatchReader::Read(const Tensor& input, Layout layout, int64_t samples, const QParams& q,
                       std::vector<int16_t>* rows) const {
  const int64_t rank = input.rank();
  const int64_t parts = rank > 0 && input.dim(0) == samples ? samples : 1;
  if (input.elements() == 0 || input.elements() % (parts * channels_.count) != 0) return;
  const int64_t part = input.elements() / parts;
  Picture picture;
  if (channels_.is_spatial) {
    if (rank < 3 || rank > 2 + static_cast<int64_t>(kDims) || parts != input.dim(0)) return;
    const int64_t first = layout == Layout::kPlain ? 2 : 1;
    const bool is_plain = layout == Layout::kPlain;
    if (input.dim(is_plain ? 1 : rank - 1) != channels_.count) return;
    int64_t distance = is_plain ? 1 : channels_.count;
    for (int64_t d = rank - 3; d >= 0; --d) {
      const auto i = static_cast<size_t>(d + 3 - (rank - 2));
      picture.sizes[i] = input.dim(first + d);
      picture.distances[i] = distance;
      distance *= picture.sizes[i];
    }
    picture.channel_distance = is_plain ? distance : 1;
    picture.outputs = OutputSizes(picture.sizes, &picture.pads);
  } else {
    picture.sizes[2] = picture.outputs[2] = part / channels_.count;
    picture.distances[2] = channels_.count;
  }
  const int64_t places = picture.outputs[0] * picture.outputs[1] * picture.outputs[2];
  const int64_t taken = std::min(places, kMostOfSample);
  for (int64_t n = 0; n < parts; ++n) {
    picture.data = input.data<float>() + n * part;
    // Evenly spaced, from a place that differs between samples.
    uint64_t seed = 0;
    for (int64_t i = 0; i < std::min<int64_t>(part, 64); ++i) {
      const float x = picture.data[i * (part / std::min<int64_t>(part, 64))];
      seed = seed * 31 + static_cast<uint64_t>(static_cast<int64_t>(
                             QuantizeValue(x, q.scales[0], q.zero_points[0], -128, 255) + 128));
    }
    const auto start =
        static_cast<int64_t>(seed % static_cast<uint64_t>(std::max<int64_t>(places, 1)));
    for (int64_t i = 0; i < taken; ++i) {
      const size_t at = rows->size();
      rows->resize(at + static_cast<size_t>(groups() * entries()));
      ReadRow(picture, (start + i * places / taken) % places, q, rows->data() + at);
    }
  }
}

}  // namespace intmill
