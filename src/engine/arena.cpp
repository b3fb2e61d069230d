// Offsets by liveness: greedy with best fit, the largest first, and again while that leaves holes.
#include "engine/arena.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"
#include "base/memory.h"
#include "tensor/shape.h"

namespace intmill {
namespace {

constexpr int kMostRounds = 32;

bool LivesOverlap(const ArenaBuffer& a, const ArenaBuffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The start of the tightest gap that takes `bytes`, or the end of the last neighbour. `neighbours`
// are sorted by offset.
int64_t BestFit(const std::vector<const ArenaBuffer*>& neighbours, int64_t bytes) {
  int64_t best_offset = -1;
  int64_t best_gap = 0;
  int64_t end = 0;
  for (const ArenaBuffer* other : neighbours) {
    const int64_t gap = other->offset - end;
    if (gap >= bytes && (best_offset < 0 || gap < best_gap)) {
      best_offset = end;
      best_gap = gap;
    }
    end = std::max(end, other->offset + other->bytes);
  }
  return best_offset >= 0 ? best_offset : end;
}

// The largest sum of sizes over all steps, by a sweep over the starts and ends of lives.
int64_t LowerBound(const std::vector<ArenaBuffer>& buffers) {
  std::vector<std::pair<int64_t, int64_t>> events;
  for (const ArenaBuffer& b : buffers) {
    events.emplace_back(b.first, b.bytes);
    events.emplace_back(b.last + 1, -b.bytes);
  }
  std::sort(events.begin(), events.end());  // at one step, ends come before starts
  int64_t alive = 0;
  int64_t most = 0;
  for (const auto& [step, change] : events) most = std::max(most, alive += change);
  return most;
}

// Sets the offsets, one buffer after the other; what they need.
int64_t Place(std::vector<ArenaBuffer>& buffers, const std::vector<size_t>& order) {
  int64_t bytes = 0;
  std::vector<const ArenaBuffer*> placed;  // by offset
  std::vector<const ArenaBuffer*> neighbours;
  for (const size_t i : order) {
    ArenaBuffer& buffer = buffers[i];
    neighbours.clear();
    std::copy_if(placed.begin(), placed.end(), std::back_inserter(neighbours),
                 [&](const ArenaBuffer* other) { return LivesOverlap(buffer, *other); });
    buffer.offset = BestFit(neighbours, buffer.bytes);
    bytes = std::max(bytes, buffer.offset + buffer.bytes);
    const auto at = std::upper_bound(
        placed.begin(), placed.end(), &buffer,
        [](const ArenaBuffer* a, const ArenaBuffer* b) { return a->offset < b->offset; });
    placed.insert(at, &buffer);
  }
  return bytes;
}

}  // namespace

Result<ArenaSize> PlanArena(std::vector<ArenaBuffer>& buffers) {
  int64_t sum = 0;
  for (ArenaBuffer& b : buffers) {
    if (!AlignUpFits(b.bytes, kAlignment, &b.bytes) || !AddFits(sum, b.bytes, &sum) ||
        sum > kMaxBytes)
      return Error(Code::kOutOfMemory, "the tensors of this model need more than ", kMaxBytes,
                   " bytes");
  }
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  const int64_t lower_bound = LowerBound(buffers);
  int64_t bytes = Place(buffers, order);
  std::vector<ArenaBuffer> best = buffers;
  int64_t least = bytes;
  for (int round = 0; round < kMostRounds && least > lower_bound; ++round) {
    std::stable_partition(order.begin(), order.end(),
                          [&](size_t i) { return buffers[i].offset + buffers[i].bytes == bytes; });
    bytes = Place(buffers, order);
    if (bytes >= least) continue;
    least = bytes;
    best = buffers;
  }
  buffers = std::move(best);
  return ArenaSize{.bytes = least, .lower_bound = lower_bound};
}

}  // namespace intmill
