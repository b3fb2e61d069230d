// Runs of a plan: what a step is told of those behind it.
#include <array>
#include <criterion/criterion.h>

#include "engine/plan.h"
#include "passes/pipeline.h"
#include "support/graphs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// What kernels were told in the last run, one after the other.
using Told = std::vector<std::span<const std::byte>>;

class Listening : public Kernel {
 public:
  Listening(std::unique_ptr<Kernel> kernel, std::span<const std::byte> first_read, Told& told)
      : kernel_(std::move(kernel)), first_read_(first_read), told_(told) {}

  std::string_view name() const override { return kernel_->name(); }
  int64_t scratch_bytes() const override { return kernel_->scratch_bytes(); }
  std::span<const std::byte> first_read() const override { return first_read_; }
  Status Run(const RunArgs& args, KernelState* state) const override {
    told_.push_back(args.ahead);
    return kernel_->Run(args, state);
  }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::span<const std::byte> first_read_;
  Told& told_;
};

}  // namespace

Test(run, the_two_steps_before_one_that_names_memory_are_told_of_it) {
  GraphBuilder g;
  ValueId x = g.Input("x", {4});
  for (const char* op : {"Exp", "Neg", "Abs", "Sqrt"}) x = g.Op(op, {x});
  g.Output(x);
  const Result<Graph> ready = Specialize(g.graph, std::vector<Shape>{{4}}, {});
  cr_assert(ready.ok(), "%s", ready.status().message().c_str());

  Told told;
  const std::array<std::byte, 3> weights = {};
  const KernelHook hook = [&](const LowerArgs& args, std::unique_ptr<Kernel> chosen) {
    const bool is_last = args.node.op->name == "Sqrt";
    return MakeKernel<Listening>(
        std::move(chosen),
        is_last ? std::span<const std::byte>(weights) : std::span<const std::byte>(), told);
  };
  const auto plan = Plan::Compile(*ready, {.kernel_hook = hook});
  cr_assert(plan.ok(), "%s", plan.status().message().c_str());
  const auto state = RunState::Create(*plan, false);
  cr_assert(state.ok());
  const std::array<float, 4> in = {1, 2, 3, 4};
  std::array<float, 4> out = {};
  const void* const inputs[] = {in.data()};
  void* const outputs[] = {out.data()};
  cr_assert((*state)->Run(inputs, outputs, {}).ok());

  cr_assert_eq(told.size(), 4);
  cr_expect_eq(told[0].size(), 0);
  cr_expect_eq(told[1].data(), weights.data());
  cr_expect_eq(told[2].size(), weights.size());
  cr_expect_eq(told[3].size(), 0);
}
