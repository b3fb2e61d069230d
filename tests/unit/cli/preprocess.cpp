// Tests of bringing samples to the shape, type and range that a model wants.
#include "cli/preprocess.h"

#include <criterion/criterion.h>

#include "cli/fit.h"
#include "unit/cli/data_helpers.h"

using namespace intmill::cli;

namespace {

template <typename To, typename From>
std::vector<To> Convert(Converter& converter, const std::vector<From>& sample) {
  std::vector<To> out(static_cast<size_t>(ElementCount(converter.result().dims)));
  converter.Convert(reinterpret_cast<const std::byte*>(sample.data()),
                    reinterpret_cast<std::byte*>(out.data()));
  return out;
}

}  // namespace

Test(cli_preprocess, bytes_become_floats_by_scale_mean_and_deviation) {
  Normalization normalization;
  normalization.scale = {1.0 / 255};
  normalization.mean = {0.5};
  normalization.deviation = {0.25};
  Converter converter({INTMILL_U8, {3}}, Layout::kUnknown, {INTMILL_F32, {3}}, normalization);
  const auto out = Convert<float>(converter, std::vector<uint8_t>{0, 51, 255});
  cr_assert(out ==
            (std::vector<float>{-2.0F, static_cast<float>((51.0 / 255 - 0.5) / 0.25), 2.0F}));
}

Test(cli_preprocess, channels_last_becomes_channels_first_with_its_own_means) {
  Normalization normalization;
  normalization.mean = {0, 100, 200};
  Converter converter({INTMILL_U8, {1, 2, 3}}, Layout::kNhwc, {INTMILL_F32, {3, 1, 2}},
                      normalization);
  const auto out = Convert<float>(converter, std::vector<uint8_t>{1, 101, 201, 2, 102, 202});
  cr_assert(out == (std::vector<float>{1, 2, 1, 2, 1, 2}));
}

Test(cli_preprocess, channels_first_becomes_channels_last) {
  Converter converter({INTMILL_F32, {3, 1, 2}}, Layout::kNchw, {INTMILL_F32, {1, 2, 3}}, {});
  const auto out = Convert<float>(converter, std::vector<float>{1, 2, 11, 12, 21, 22});
  cr_assert(out == (std::vector<float>{1, 11, 21, 2, 12, 22}));
}

Test(cli_preprocess, same_layout_is_left_alone_with_planes_of_their_own_scale) {
  Normalization normalization;
  normalization.scale = {1, 2, 3};
  Converter converter({INTMILL_U8, {3, 1, 2}}, Layout::kUnknown, {INTMILL_F32, {3, 1, 2}},
                      normalization);
  const auto out = Convert<float>(converter, std::vector<uint8_t>{1, 2, 1, 2, 1, 2});
  cr_assert(out == (std::vector<float>{1, 2, 2, 4, 3, 6}));
}

Test(cli_preprocess, integers_widen_and_narrow_only_without_loss) {
  Converter widen({INTMILL_S32, {2}}, Layout::kUnknown, {INTMILL_S64, {2}}, {});
  cr_assert(Convert<int64_t>(widen, std::vector<int32_t>{-1, 7}) == (std::vector<int64_t>{-1, 7}));
  Converter narrow({INTMILL_S64, {1}}, Layout::kUnknown, {INTMILL_S32, {1}}, {});
  cr_assert(Convert<int32_t>(narrow, std::vector<int64_t>{-5}) == std::vector<int32_t>{-5});
  cr_assert(
      Contains(FailureOf([&] { Convert<int32_t>(narrow, std::vector<int64_t>{int64_t{1} << 31}); }),
               "2147483648 does not fit"));
}

Test(cli_preprocess, floats_do_not_become_integers) {
  const std::string message = FailureOf([] {
    Converter({INTMILL_F32, {2}}, Layout::kUnknown, {INTMILL_S64, {2}}, {});
  });
  cr_assert(Contains(message, "samples are f32 2, the input wants s64 2"));
}

Test(cli_preprocess, as_many_values_as_channels_or_one) {
  Normalization normalization;
  normalization.mean = {1, 2};
  cr_assert_throw(
      Converter({INTMILL_U8, {3, 2, 2}}, Layout::kNchw, {INTMILL_F32, {3, 2, 2}}, normalization),
      UsageError);
}

Test(cli_preprocess, numbers_may_be_fractions_and_lists) {
  cr_assert(ParseNumbers("1/4", "--scale") == std::vector<double>{0.25});
  cr_assert(ParseNumbers("-1,2.5,3e-1", "--mean") == (std::vector<double>{-1, 2.5, 0.3}));
  for (const char* text : {"", "a", "1,", "1/0", "nan", "1//2", "1 2", "inf"})
    cr_assert_throw(ParseNumbers(text, "--mean"), UsageError, "%s", text);
}

Test(cli_fit, ones_come_and_go) {
  cr_assert(FitShape({28, 28}, Layout::kUnknown, {1, 28, 28})->dims == (Dims{1, 28, 28}));
  cr_assert(FitShape({28, 28}, Layout::kUnknown, {28, 28, 1})->dims == (Dims{28, 28, 1}));
  cr_assert(FitShape({1, 28, 28}, Layout::kUnknown, {28, 28})->dims == (Dims{28, 28}));
  cr_assert(FitShape({28, 28}, Layout::kUnknown, {784})->dims == Dims{784});
  cr_assert(FitShape({1}, Layout::kUnknown, {})->dims.empty());
}

Test(cli_fit, free_dimensions_take_what_comes) {
  cr_assert(FitShape({3, 20, 30}, Layout::kUnknown, {3, -1, -1})->dims == (Dims{3, 20, 30}));
  cr_assert(FitShape({20, 30}, Layout::kUnknown, {1, -1, -1})->dims == (Dims{1, 20, 30}));
  const auto picture = FitShape({20, 30, 3}, Layout::kNhwc, {3, -1, -1});
  cr_assert(picture->dims == (Dims{3, 20, 30}) && picture->is_transposed);
}

Test(cli_fit, layout_is_guessed_only_when_one_fits) {
  const auto guessed = FitShape({20, 30, 3}, Layout::kUnknown, {3, 20, 30});
  cr_assert(guessed->is_transposed && guessed->layout == Layout::kNhwc);
  cr_assert_not(FitShape({3, 20, 30}, Layout::kUnknown, {3, 20, 30})->is_transposed);
}

Test(cli_fit, other_shapes_do_not_fit) {
  cr_assert_not(FitShape({28, 28}, Layout::kUnknown, {3, 28, 28}).has_value());
  cr_assert_not(FitShape({20, 30, 3}, Layout::kNhwc, {3, 224, 224}).has_value());
  cr_assert_not(FitShape({5}, Layout::kUnknown, {6}).has_value());
  cr_assert_not(FitShape({2, 3}, Layout::kUnknown, {3, 2}).has_value());
}
