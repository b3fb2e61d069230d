// Tests of DLPack in both directions and both versions.
#include "tensor/dlpack.h"

#include <criterion/criterion.h>
#include <cstddef>

using namespace intmill;

namespace {

// A producer on the stack that counts how often it is given back.
template <typename Managed>
struct Producer {
  Managed managed = {};
  float data[6] = {1, 2, 3, 4, 5, 6};
  int64_t shape[2] = {2, 3};
  int64_t strides[2] = {3, 1};
  int deleted = 0;

  Producer() {
    managed.dl_tensor = {data, {1, 0}, 2, {2, 32, 1}, shape, nullptr, 0};
    managed.manager_ctx = this;
    managed.deleter = [](Managed* self) { ++static_cast<Producer*>(self->manager_ctx)->deleted; };
  }
};

struct Old : Producer<DLManagedTensor> {};
struct Versioned : Producer<DLManagedTensorVersioned> {
  Versioned() { managed.version = {1, 0}; }
};

void ExpectRefused(Old& producer, Code code) {
  const Result<Tensor> t = FromDLPack(&producer.managed);
  cr_expect_eq(t.status().code(), code, "%s", t.status().message().c_str());
  cr_expect_eq(producer.deleted, 0);
}

}  // namespace

Test(dlpack, layouts_are_those_of_the_specification) {
  cr_expect_eq(sizeof(DLTensor), 48);
  cr_expect_eq(offsetof(DLTensor, byte_offset), 40);
  cr_expect_eq(sizeof(DLManagedTensor), 64);
  cr_expect_eq(offsetof(DLManagedTensorVersioned, flags), 24);
  cr_expect_eq(offsetof(DLManagedTensorVersioned, dl_tensor), 32);
}

Test(dlpack, is_taken_over_without_a_copy_and_given_back_last) {
  Old producer;
  {
    const Result<Tensor> t = FromDLPack(&producer.managed);
    cr_assert(t.ok());
    const Tensor second = *t;
    cr_expect_eq(second.data<float>(), producer.data);
    cr_expect(second.shape() == Shape({2, 3}));
    cr_expect_eq(producer.deleted, 0);
  }
  cr_expect_eq(producer.deleted, 1);
}

Test(dlpack, the_byte_offset_counts) {
  Old producer;
  producer.managed.dl_tensor.byte_offset = 4;
  producer.managed.dl_tensor.ndim = 1;
  cr_expect_eq(FromDLPack(&producer.managed)->data<float>()[0], 2);
}

Test(dlpack, dense_strides_are_taken) {
  Old producer;
  producer.managed.dl_tensor.strides = producer.strides;
  cr_expect(FromDLPack(&producer.managed).ok());
}

Test(dlpack, the_stride_of_a_dimension_of_one_does_not_matter) {
  Old producer;
  producer.shape[0] = 1;
  producer.strides[0] = 77;
  producer.managed.dl_tensor.strides = producer.strides;
  cr_expect(FromDLPack(&producer.managed).ok());
}

Test(dlpack, other_strides_devices_and_types_are_unsupported) {
  Old strided;
  strided.strides[0] = 1;
  strided.strides[1] = 2;
  strided.managed.dl_tensor.strides = strided.strides;
  ExpectRefused(strided, Code::kUnsupported);
  Old gpu;
  gpu.managed.dl_tensor.device.device_type = 2;
  ExpectRefused(gpu, Code::kUnsupported);
  Old complex;
  complex.managed.dl_tensor.dtype = {5, 64, 1};
  ExpectRefused(complex, Code::kUnsupported);
  Old vectors;
  vectors.managed.dl_tensor.dtype = {2, 32, 4};
  ExpectRefused(vectors, Code::kUnsupported);
}

Test(dlpack, lies_are_invalid) {
  Old negative;
  negative.managed.dl_tensor.ndim = -1;
  ExpectRefused(negative, Code::kInvalidArgument);
  Old no_shape;
  no_shape.managed.dl_tensor.shape = nullptr;
  ExpectRefused(no_shape, Code::kInvalidArgument);
  Old no_data;
  no_data.managed.dl_tensor.data = nullptr;
  ExpectRefused(no_data, Code::kInvalidArgument);
  Old misaligned;
  misaligned.managed.dl_tensor.byte_offset = 1;
  ExpectRefused(misaligned, Code::kInvalidArgument);
  Old too_large;
  too_large.shape[0] = int64_t{1} << 40;
  ExpectRefused(too_large, Code::kInvalidArgument);
}

Test(dlpack, a_newer_major_version_is_refused) {
  Versioned producer;
  producer.managed.version = {2, 0};
  cr_expect_eq(FromDLPack(&producer.managed).status().code(), Code::kBadVersion);
  cr_expect_eq(producer.deleted, 0);
}

Test(dlpack, a_read_only_tensor_is_copied_and_given_back) {
  Versioned producer;
  producer.managed.flags = 1;
  const Result<Tensor> t = FromDLPack(&producer.managed);
  cr_assert(t.ok());
  cr_expect_neq(t->data<float>(), producer.data);
  cr_expect_eq(t->data<float>()[5], 6);
  cr_expect_eq(producer.deleted, 1);
}

Test(dlpack, a_writable_versioned_tensor_is_shared) {
  Versioned producer;
  cr_expect_eq(FromDLPack(&producer.managed)->data<float>(), producer.data);
  cr_expect_eq(producer.deleted, 1);
}

Test(dlpack, what_is_shown_keeps_its_memory) {
  DLManagedTensor* dl = nullptr;
  {
    Tensor t = *Tensor::Make(DType::kS64, {4});
    t.mutable_data<int64_t>()[3] = 9;
    dl = *ToDLPack(t);
  }
  cr_expect_eq(static_cast<int64_t*>(dl->dl_tensor.data)[3], 9);
  cr_expect_eq(dl->dl_tensor.dtype.code, 0);
  cr_expect_eq(dl->dl_tensor.dtype.bits, 64);
  dl->deleter(dl);
}

Test(dlpack, a_round_trip_comes_back_to_the_same_memory) {
  const Tensor t = *Tensor::Make(DType::kBool, {2, 0, 3});
  const Tensor one = *Tensor::Make(DType::kBf16, {});
  const Result<Tensor> empty = FromDLPack(*ToDLPackVersioned(t));
  const Result<Tensor> scalar = FromDLPack(*ToDLPackVersioned(one));
  cr_expect(empty->shape() == t.shape());
  cr_expect_eq(scalar->data<void>(), one.data<void>());
  cr_expect_eq(scalar->dtype(), DType::kBf16);
}

Test(dlpack, packed_types_have_no_dlpack) {
  const Tensor t = *Tensor::Make(DType::kS4, {2});
  cr_expect_eq(ToDLPack(t).status().code(), Code::kUnsupported);
}
