// Second moments of the integers that a product reads: they say which roundings of its weights make
// up for each other.
#ifndef INTMILL_QUANT_MOMENTS_H
#define INTMILL_QUANT_MOMENTS_H

#include <cstdint>
#include <span>
#include <vector>

namespace intmill {

// Of rows x, one entry for each weight of an output channel: sums of x and of x x^T within blocks
// of neighbouring entries, which never cross a group. All are sums of integers, so neither the
// order nor the portions of the rows show. Memory depends on the blocks and not on the number of
// rows.
class InputMoments {
 public:
  // Blocks have at most this many entries: a product of more weights forgets what ties them.
  static constexpr int64_t kMostEntries = 1024;

  // `entries`: weights of one output channel.
  InputMoments(int64_t groups, int64_t entries);

  struct Block {
    int64_t group = 0;
    int64_t begin = 0;  // within the entries of the group
    int64_t size = 0;
  };
  const std::vector<Block>& blocks() const { return blocks_; }
  int64_t width() const { return groups_ * entries_; }
  int64_t rows() const { return rows_; }

  // Takes in rows of width() entries, each in -255..255.
  void Add(std::span<const int16_t> rows);
  // E[x x^T] of a block, size x size; centered: the covariance, where a bias takes care of the
  // mean. `damping` times the mean of the diagonal is added to the diagonal: rows are few, and what
  // they did not show is not impossible.
  std::vector<float> Get(size_t block, bool centered, double damping) const;

 private:
  void AddToBlock(size_t block, std::span<const int16_t> columns);

  int64_t groups_;
  int64_t entries_;
  int64_t rows_ = 0;
  std::vector<Block> blocks_;
  std::vector<int64_t> sums_;                   // width()
  std::vector<std::vector<int64_t>> products_;  // of each block, the lower triangle
};

}  // namespace intmill

#endif  // INTMILL_QUANT_MOMENTS_H
