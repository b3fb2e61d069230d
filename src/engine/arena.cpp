// Offsets by liveness: greedy with best fit, the largest first, and again while that leaves holes.
// Then, where several threads run, such that memory stays with the thread that had it before.
#include "engine/arena.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "base/checked.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "tensor/shape.h"

namespace intmill {
namespace {

constexpr int kMostRounds = 32;
constexpr int kMoves = 3;
// That part more than the lower bound may be spent on it.
constexpr int64_t kSpare = 8;
// Behind so many steps a buffer's bytes are no longer in the cache of a core.
constexpr int64_t kStepsInCache = 4;
// Less than that is not worth moving.
constexpr int64_t kFewBytes = 4096;

using Neighbours = std::vector<const ArenaBuffer*>;

bool LivesOverlap(const ArenaBuffer& a, const ArenaBuffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

// Calls visit(begin, end) for each gap between `neighbours`, which are sorted by offset, and for
// what is behind them, up to `limit`.
template <typename Visit>
void VisitGaps(const Neighbours& neighbours, int64_t limit, const Visit& visit) {
  int64_t end = 0;
  for (const ArenaBuffer* other : neighbours) {
    if (other->offset > end) visit(end, other->offset);
    end = std::max(end, other->offset + other->bytes);
  }
  if (end < limit) visit(end, limit);
}

int64_t EndOf(const Neighbours& buffers) {
  int64_t end = 0;
  for (const ArenaBuffer* b : buffers) end = std::max(end, b->offset + b->bytes);
  return end;
}

// The start of the tightest gap that takes `bytes`, or the end of the last neighbour.
int64_t TightestFit(const Neighbours& neighbours, int64_t bytes) {
  const int64_t end = EndOf(neighbours);
  int64_t best_offset = end;
  int64_t best_gap = INT64_MAX;
  VisitGaps(neighbours, end, [&](int64_t begin, int64_t gap_end) {
    const int64_t gap = gap_end - begin;
    if (gap < bytes || gap >= best_gap) return;
    best_offset = begin;
    best_gap = gap;
  });
  return best_offset;
}

// Loops give a buffer's first half to the first half of the threads (base/parallel.h), so these
// are the bytes that have to go from one core's cache to another one's, as `b` and `a` at `offset`
// lie in the same memory one after the other.
int64_t BytesThatChangeHands(const ArenaBuffer& a, int64_t offset, const ArenaBuffer& b) {
  const int64_t begin = std::max(offset, b.offset);
  const int64_t end = std::min(offset + a.bytes, b.offset + b.bytes);
  if (begin >= end) return 0;
  return std::abs(std::clamp(offset + a.bytes / 2, begin, end) -
                  std::clamp(b.offset + b.bytes / 2, begin, end));
}

// Where the fewest bytes change hands, those of the steps just before and behind counting most; of
// such places in the tightest gap. Below `limit`, or at the end of the last neighbour.
class KindestFit {
 public:
  KindestFit(const ArenaBuffer& buffer, const Neighbours& placed) : buffer_(buffer) {
    for (const ArenaBuffer* other : placed)
      if (const int64_t steps = StepsTo(*other);
          steps > 0 && steps <= kStepsInCache && other->bytes >= kFewBytes) {
        near_.push_back(other);
        centred_.push_back(other->offset +
                           (other->bytes - buffer.bytes) / 2 / kAlignment * kAlignment);
      }
    std::sort(centred_.begin(), centred_.end());
    centred_.erase(std::unique(centred_.begin(), centred_.end()), centred_.end());
  }

  int64_t In(const Neighbours& neighbours, int64_t limit) {
    VisitGaps(neighbours, limit, [&](int64_t begin, int64_t end) {
      Consider(begin, begin, end);
      Consider(end - buffer_.bytes, begin, end);
      for (const int64_t offset : centred_) Consider(offset, begin, end);
    });
    return best_offset_ >= 0 ? best_offset_ : EndOf(neighbours);
  }

 private:
  int64_t StepsTo(const ArenaBuffer& other) const {
    return std::max(buffer_.first - other.last, other.first - buffer_.last);
  }

  void Consider(int64_t offset, int64_t begin, int64_t end) {
    if (offset < begin || offset + buffer_.bytes > end) return;
    int64_t cost = 0;
    for (const ArenaBuffer* other : near_) {
      cost += BytesThatChangeHands(buffer_, offset, *other) / StepsTo(*other);
      if (cost > least_cost_) return;
    }
    if (cost == least_cost_ && end - begin >= gap_) return;
    best_offset_ = offset;
    least_cost_ = cost;
    gap_ = end - begin;
  }

  const ArenaBuffer& buffer_;
  Neighbours near_;
  std::vector<int64_t> centred_;  // where halves meet halves
  int64_t best_offset_ = -1;
  int64_t least_cost_ = INT64_MAX;
  int64_t gap_ = INT64_MAX;
};

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

bool IsBefore(const ArenaBuffer* a, const ArenaBuffer* b) { return a->offset < b->offset; }

// Those of `placed` that are alive together with `buffer`.
void FindNeighbours(const ArenaBuffer& buffer, const Neighbours& placed, Neighbours& neighbours) {
  neighbours.clear();
  std::copy_if(placed.begin(), placed.end(), std::back_inserter(neighbours),
               [&](const ArenaBuffer* other) { return LivesOverlap(buffer, *other); });
}

void Insert(const ArenaBuffer& buffer, Neighbours& placed) {
  placed.insert(std::upper_bound(placed.begin(), placed.end(), &buffer, IsBefore), &buffer);
}

// Sets the offsets, one buffer after the other; what they need.
int64_t Place(std::vector<ArenaBuffer>& buffers, const std::vector<size_t>& order) {
  int64_t bytes = 0;
  Neighbours placed;  // by offset
  Neighbours neighbours;
  for (const size_t i : order) {
    ArenaBuffer& buffer = buffers[i];
    FindNeighbours(buffer, placed, neighbours);
    buffer.offset = TightestFit(neighbours, buffer.bytes);
    bytes = std::max(bytes, buffer.offset + buffer.bytes);
    Insert(buffer, placed);
  }
  return bytes;
}

// Moves one buffer after the other, the rest staying where they are; what they need then.
int64_t Move(std::vector<ArenaBuffer>& buffers, const std::vector<size_t>& order, int64_t limit) {
  Neighbours placed;  // by offset
  for (const ArenaBuffer& b : buffers) placed.push_back(&b);
  std::stable_sort(placed.begin(), placed.end(), IsBefore);
  Neighbours neighbours;
  for (const size_t i : order) {
    ArenaBuffer& buffer = buffers[i];
    if (buffer.bytes < kFewBytes) continue;
    placed.erase(std::find(placed.begin(), placed.end(), &buffer));
    FindNeighbours(buffer, placed, neighbours);
    buffer.offset = KindestFit(buffer, placed).In(neighbours, limit);
    Insert(buffer, placed);
  }
  return EndOf(placed);
}

}  // namespace

Result<ArenaSize> PlanArena(std::vector<ArenaBuffer>& buffers, int64_t budget) {
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
  if (CurrentThreads() > 1) {
    const int64_t wanted = std::min(budget, lower_bound / kSpare * (kSpare + 1));
    const int64_t limit = std::max(least, wanted / kAlignment * kAlignment);
    for (int move = 0; move < kMoves; ++move) least = Move(buffers, order, limit);
  }
  return ArenaSize{.bytes = least, .lower_bound = lower_bound};
}

}  // namespace intmill
