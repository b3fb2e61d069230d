// AMX tiles have a shape, which belongs to a thread. Steps of one run leave it to those behind, as
// shaping them anew takes longer than many a product; after the run they are released: other code
// of the host's (ONNX Runtime's, for one) expects shapes of its own or none.
#ifndef INTMILL_KERNELS_TILE_USE_H
#define INTMILL_KERNELS_TILE_USE_H

namespace intmill {

class TileUse {
 public:
  TileUse() = default;
  ~TileUse() { Release(); }
  TileUse(const TileUse&) = delete;
  TileUse& operator=(const TileUse&) = delete;

  // A kernel has used tiles on the calling thread, or on the threads of its parallel loops.
  void Note(bool in_parallel) { (in_parallel ? in_parallel_ : alone_) = true; }
  // Before the end, where the threads are close by.
  void Release();

 private:
  bool alone_ = false;
  bool in_parallel_ = false;
};

}  // namespace intmill

#endif  // INTMILL_KERNELS_TILE_USE_H
