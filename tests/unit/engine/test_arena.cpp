// The arena planner: no two buffers alive at once may overlap, and little may be wasted.
#include <algorithm>
#include <criterion/criterion.h>
#include <random>

#include "base/parallel.h"
#include "engine/arena.h"

using intmill::ArenaBuffer;
using intmill::ArenaSize;
using intmill::PlanArena;
using intmill::ThreadScope;

namespace {

bool Disjoint(const ArenaBuffer& a, const ArenaBuffer& b) {
  const bool together = a.first <= b.last && b.first <= a.last;
  return !together || a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
}

// For loops of so many threads.
ArenaSize Plan(std::vector<ArenaBuffer>& buffers, int64_t threads = 1, int64_t budget = INT64_MAX) {
  const ThreadScope scope(threads);
  auto size = PlanArena(buffers, budget);
  cr_assert(size.ok(), "%s", size.status().message().c_str());
  return *size;
}

// Values of a few steps, most of them of one.
std::vector<ArenaBuffer> Values(std::mt19937& random) {
  std::vector<ArenaBuffer> values;
  for (int64_t i = 0; i < 60; ++i) {
    const int64_t life = random() % 4 == 0 ? random() % 20 : 1;
    values.push_back({static_cast<int64_t>(4096 << random() % 8), i, i + life});
  }
  return values;
}

// The half of `b` that a byte of the arena is in; -1: in none.
int HalfOf(const ArenaBuffer& b, int64_t byte) {
  if (byte < b.offset || byte >= b.offset + b.bytes) return -1;
  return byte < b.offset + b.bytes / 2 ? 0 : 1;
}

// Lines that are in one half of a value, and in the other half of one of the next four steps.
int64_t LinesThatChangeHands(const std::vector<ArenaBuffer>& values) {
  int64_t lines = 0;
  for (const ArenaBuffer& a : values)
    for (const ArenaBuffer& b : values) {
      if (b.first <= a.last || b.first > a.last + 4) continue;
      for (int64_t at = a.offset; at < a.offset + a.bytes; at += 64)
        lines += HalfOf(b, at) == 1 - HalfOf(a, at) ? 1 : 0;
    }
  return lines;
}

}  // namespace

Test(arena, a_chain_needs_two_buffers_however_long_it_is) {
  std::vector<ArenaBuffer> chain;
  for (int64_t i = 0; i < 50; ++i) chain.push_back({1024, i, i + 1});
  cr_assert_eq(Plan(chain).bytes, 2048);
}

Test(arena, buffers_alive_together_never_overlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    std::vector<ArenaBuffer> buffers;
    for (int i = 0; i < 60; ++i) {
      const int64_t first = random() % 40;
      buffers.push_back({static_cast<int64_t>(random() % 5000), first,
                         first + static_cast<int64_t>(random() % 10)});
    }
    const ArenaSize size = Plan(buffers, 1 + round % 2);
    cr_assert_geq(size.bytes, size.lower_bound);
    for (size_t i = 0; i < buffers.size(); ++i) {
      cr_assert_eq(buffers[i].offset % 64, 0);
      cr_assert_leq(buffers[i].offset + buffers[i].bytes, size.bytes);
      for (size_t j = 0; j < i; ++j) cr_assert(Disjoint(buffers[i], buffers[j]));
    }
  }
}

Test(arena, a_freed_gap_is_used_again) {
  // 0..1 and 3..4 share the memory beside the one that lives throughout.
  std::vector<ArenaBuffer> buffers = {{640, 0, 1}, {128, 0, 4}, {640, 3, 4}};
  const ArenaSize size = Plan(buffers);
  cr_assert_eq(size.bytes, 768);
  cr_assert_eq(size.lower_bound, 768);
}

Test(arena, few_holes_are_left) {
  std::mt19937 random(8);
  int64_t bytes = 0;
  int64_t lower_bound = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<ArenaBuffer> buffers = Values(random);
    const ArenaSize size = Plan(buffers);
    bytes += size.bytes;
    lower_bound += size.lower_bound;
  }
  cr_assert_lt(bytes * 100, lower_bound * 101, "%ld, at least %ld", static_cast<long>(bytes),
               static_cast<long>(lower_bound));
}

Test(arena, memory_stays_with_the_threads_that_had_it) {
  std::mt19937 random(9);
  int64_t with_one = 0;
  int64_t with_two = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<ArenaBuffer> buffers = Values(random);
    const int64_t least = Plan(buffers).bytes;
    with_one += LinesThatChangeHands(buffers);
    const ArenaSize size = Plan(buffers, 2);
    with_two += LinesThatChangeHands(buffers);
    cr_assert_leq(size.bytes, std::max(least, size.lower_bound / 8 * 9));
    cr_assert_leq(Plan(buffers, 2, least + 64).bytes, least + 64);
    cr_assert_leq(Plan(buffers, 2, 0).bytes, least);
  }
  cr_assert_lt(with_two * 4, with_one, "%ld lines of %ld", static_cast<long>(with_two),
               static_cast<long>(with_one));
}

Test(arena, sizes_that_do_not_fit_are_refused) {
  std::vector<ArenaBuffer> buffers = {{INT64_MAX - 5, 0, 1}, {INT64_MAX / 2, 0, 1}};
  const auto size = PlanArena(buffers, INT64_MAX);
  cr_assert_not(size.ok());
  cr_assert_eq(size.status().code(), intmill::Code::kOutOfMemory);
}
