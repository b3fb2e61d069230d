// Tests of making, wrapping and asking tensors.
#include "capi/support.h"

namespace {

struct Freed {
  int calls = 0;
  void* data = nullptr;
};

void CountFree(void* user, void* data) {
  auto* freed = static_cast<Freed*>(user);
  ++freed->calls;
  freed->data = data;
}

const int64_t kTwoByThree[] = {2, 3};

}  // namespace

Test(tensor, is_made_of_zeros_and_aligned) {
  const Tensor t = MakeTensor(INTMILL_S32, {2, 3});
  cr_expect_eq(intmill_tensor_dtype(t), INTMILL_S32);
  cr_expect_eq(intmill_tensor_rank(t), 2);
  cr_expect_eq(intmill_tensor_dims(t)[1], 3);
  cr_expect_eq(intmill_tensor_bytes(t), 24);
  cr_expect_eq(reinterpret_cast<uintptr_t>(intmill_tensor_data(t)) % 64, 0u);
  for (int i = 0; i < 6; ++i) cr_expect_eq(static_cast<int32_t*>(intmill_tensor_data(t))[i], 0);
  cr_expect_null(intmill_tensor_qparams(t));
}

Test(tensor, rank_zero_is_one_value) {
  Tensor t;
  MUST(intmill_tensor_create(INTMILL_F32, 0, nullptr, &t));
  cr_expect_eq(intmill_tensor_bytes(t), 4);
}

Test(tensor, every_public_type_can_be_made) {
  const struct {
    intmill_dtype dtype;
    int64_t bytes;
  } kTypes[] = {{INTMILL_F32, 4}, {INTMILL_F16, 2},  {INTMILL_BF16, 2},
                {INTMILL_S8, 1},  {INTMILL_U8, 1},   {INTMILL_S32, 4},
                {INTMILL_S64, 8}, {INTMILL_BOOL, 1}, {INTMILL_S16, 2}};
  for (const auto& type : kTypes)
    cr_expect_eq(intmill_tensor_bytes(MakeTensor(type.dtype, {3})), 3 * type.bytes);
}

Test(tensor, types_that_are_not_listed_are_refused) {
  Tensor t;
  for (const int dtype : {0, 8, 9, 12, -1})
    REFUSED(intmill_tensor_create(static_cast<intmill_dtype>(dtype), 2, kTwoByThree, &t), kInvalid,
            "element type");
}

Test(tensor, ranks_and_sizes_out_of_range_are_refused) {
  Tensor t;
  const std::vector<int64_t> ones(13, 1);
  const int64_t negative[] = {-1};
  const int64_t too_large[] = {int64_t{1} << 31};
  const int64_t too_many[] = {int64_t{1} << 30, int64_t{1} << 30};
  MUST(intmill_tensor_create(INTMILL_U8, 12, ones.data(), &t));
  Tensor u;
  REFUSED(intmill_tensor_create(INTMILL_U8, 13, ones.data(), &u), kInvalid, "rank is 13");
  REFUSED(intmill_tensor_create(INTMILL_U8, -1, ones.data(), &u), kInvalid, "rank is -1");
  REFUSED(intmill_tensor_create(INTMILL_U8, 1, negative, &u), kInvalid, "dimension -1");
  REFUSED(intmill_tensor_create(INTMILL_U8, 1, too_large, &u), kInvalid, "dimension 2147483648");
  REFUSED(intmill_tensor_create(INTMILL_U8, 2, too_many, &u), kInvalid, "limit of");
}

Test(tensor, more_memory_than_there_is_is_out_of_memory) {
  Tensor t;
  const int64_t dims[] = {int64_t{1} << 23, int64_t{1} << 22};
  REFUSED(intmill_tensor_create(INTMILL_U8, 2, dims, &t), INTMILL_ERROR_OUT_OF_MEMORY,
          "cannot allocate 35184372088832 bytes");
}

Test(tensor, null_arguments_are_refused) {
  Tensor t;
  REFUSED(intmill_tensor_create(INTMILL_U8, 2, nullptr, &t), kInvalid, "dims is NULL");
  REFUSED(intmill_tensor_create(INTMILL_U8, 2, kTwoByThree, nullptr), kInvalid, "out is NULL");
}

Test(tensor, getters_answer_nothing_for_null) {
  cr_expect_eq(static_cast<int>(intmill_tensor_dtype(nullptr)), 0);
  cr_expect_eq(intmill_tensor_rank(nullptr), 0);
  cr_expect_null(intmill_tensor_dims(nullptr));
  cr_expect_eq(intmill_tensor_bytes(nullptr), 0);
  cr_expect_null(intmill_tensor_data(nullptr));
  cr_expect_null(intmill_tensor_qparams(nullptr));
  intmill_tensor_release(nullptr);
}

Test(wrap, uses_the_callers_memory_and_gives_it_back_once) {
  float data[6] = {1, 2, 3, 4, 5, 6};
  Freed freed;
  intmill_tensor* t = nullptr;
  MUST(intmill_tensor_wrap(INTMILL_F32, 2, kTwoByThree, data, sizeof data, CountFree, &freed, &t));
  cr_expect_eq(intmill_tensor_data(t), data);
  cr_expect_eq(freed.calls, 0);
  intmill_tensor_release(t);
  cr_expect_eq(freed.calls, 1);
  cr_expect_eq(freed.data, data);
}

Test(wrap, without_a_free_function_calls_nothing) {
  float data[6] = {};
  intmill_tensor* t = nullptr;
  MUST(intmill_tensor_wrap(INTMILL_F32, 2, kTwoByThree, data, sizeof data, nullptr, nullptr, &t));
  intmill_tensor_release(t);
}

Test(wrap, an_empty_tensor_needs_no_memory) {
  const int64_t dims[] = {0, 3};
  Tensor t;
  MUST(intmill_tensor_wrap(INTMILL_F32, 2, dims, nullptr, 0, nullptr, nullptr, &t));
  cr_expect_eq(intmill_tensor_bytes(t), 0);
}

Test(wrap, a_failing_call_gives_nothing_back) {
  float data[8] = {};
  Freed freed;
  Tensor t;
  REFUSED(intmill_tensor_wrap(INTMILL_F32, 2, kTwoByThree, data, 23, CountFree, &freed, &t),
          kInvalid, "found 23 bytes, 2x3 f32 takes 24");
  REFUSED(intmill_tensor_wrap(INTMILL_F32, 2, kTwoByThree, reinterpret_cast<char*>(data) + 1, 24,
                              CountFree, &freed, &t),
          kInvalid, "not aligned to 4 bytes");
  REFUSED(intmill_tensor_wrap(INTMILL_F32, 2, kTwoByThree, nullptr, 24, CountFree, &freed, &t),
          kInvalid, "data is NULL");
  REFUSED(intmill_tensor_wrap(INTMILL_F32, 2, kTwoByThree, data, 24, CountFree, &freed, nullptr),
          kInvalid, "out is NULL");
  cr_expect_eq(freed.calls, 0);
}
