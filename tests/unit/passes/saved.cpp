// Tests that what the load passes leave can be saved, and computes the same when it is loaded.
#include "format/format.h"
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

Graph SavedAndRead(const Graph& graph) {
  auto bytes = std::make_shared<std::vector<std::byte>>();
  const Status written = WriteModel(graph, [&](std::span<const std::byte> piece) {
    bytes->insert(bytes->end(), piece.begin(), piece.end());
    return Ok();
  });
  cr_assert(written.ok(), "%s", written.message().c_str());
  Result<Graph> read = ReadModel(std::make_shared<const Blob>(*bytes, [bytes] {}));
  cr_assert(read.ok(), "%s", read.status().message().c_str());
  return *std::move(read);
}

// A quantized network with a bias, a residual, a pad and shape arithmetic.
Graph Network() {
  GraphBuilder b;
  const ValueId x = b.FakeQuantize<uint8_t>(b.Input("x", {kDynamic, 3, 6, 6}), 1.0f / 128, 128);
  const ValueId padded = b.Op("Pad", {x, b.Ints({0, 0, 1, 1, 0, 0, 1, 1})});
  const ValueId w = b.Constant(RandomTensor({3, 3, 3, 3}, 2));
  const ValueId conv = b.Op("Conv", {padded, b.FakeQuantize<int8_t>(w, 1.0f / 127, 0)});
  const ValueId biased = b.Op("Add", {conv, b.Constant(RandomTensor({3, 1, 1}, 3))});
  const ValueId sum = b.Op("Relu", {b.Op("Add", {biased, x})});
  const ValueId y = b.FakeQuantize<uint8_t>(sum, 1.0f / 32, 0);
  const ValueId batch = b.Op("Gather", {b.Op("Shape", {y}), b.Ints({0})});
  const ValueId shape = b.Op("Concat", {batch, b.Ints({-1})}, Attr("axis", int64_t{0}));
  b.Output(b.Op("Reshape", {y, shape}));
  return b.graph;
}

}  // namespace

Test(saved, loading_gives_the_same_numbers) {
  const std::vector<Tensor> inputs = {RandomTensor({2, 3, 6, 6}, 1)};
  const Graph loaded = Loaded(Network());
  const Graph read = SavedAndRead(loaded);
  cr_expect(Print(read) == Print(loaded));
  ExpectSame(read, Network(), inputs, {.relative = 1e-6, .absolute = 1e-6});
  ExpectSame(Compiled(read, inputs), loaded, inputs);
}

Test(saved, quantized_weights_are_stored_as_integers) {
  const Graph read = SavedAndRead(Loaded(Network()));
  int64_t in_bytes = 0;
  for (const Value& value : read.values)
    if (value.constant && value.dtype == DType::kS8) in_bytes += value.constant->bytes();
  cr_expect_eq(in_bytes, 3 * 3 * 3 * 3 + 1);  // the weights and their zero point
}
