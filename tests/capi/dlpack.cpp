// Tests of DLPack through the C ABI. The structures are laid out here by the specification, as a
// foreign library would.
#include "capi/support.h"

struct Device {
  int32_t type, id;
};
struct DataType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct DlTensor {
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct DLManagedTensor {
  DlTensor tensor;
  void* context;
  void (*deleter)(DLManagedTensor*);
};
struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DLManagedTensorVersioned*);
  uint64_t flags;
  DlTensor tensor;
};

namespace {

template <typename Managed>
struct Producer {
  float data[6] = {1, 2, 3, 4, 5, 6};
  int64_t shape[2] = {2, 3};
  int deleted = 0;
  Managed managed = {};

  Producer() {
    managed.tensor = {data, {1, 0}, 2, {2, 32, 1}, shape, nullptr, 0};
    managed.context = this;
    managed.deleter = [](Managed* self) { ++static_cast<Producer*>(self->context)->deleted; };
  }
};

struct Versioned : Producer<DLManagedTensorVersioned> {
  Versioned() { managed.major = 1; }
};

}  // namespace

Test(dlpack, is_taken_over_without_a_copy) {
  Producer<DLManagedTensor> producer;
  intmill_tensor* t = nullptr;
  MUST(intmill_tensor_from_dlpack(&producer.managed, &t));
  cr_expect_eq(intmill_tensor_data(t), producer.data);
  cr_expect_eq(producer.deleted, 0);
  intmill_tensor_release(t);
  cr_expect_eq(producer.deleted, 1);
}

Test(dlpack, versioned_is_taken_over_without_a_copy) {
  Versioned producer;
  intmill_tensor* t = nullptr;
  MUST(intmill_tensor_from_dlpack_versioned(&producer.managed, &t));
  cr_expect_eq(intmill_tensor_data(t), producer.data);
  intmill_tensor_release(t);
  cr_expect_eq(producer.deleted, 1);
}

Test(dlpack, read_only_is_copied) {
  Versioned producer;
  producer.managed.flags = 1;
  Tensor t;
  MUST(intmill_tensor_from_dlpack_versioned(&producer.managed, &t));
  cr_expect_neq(intmill_tensor_data(t), producer.data);
  cr_expect(Floats(t) == std::vector<float>({1, 2, 3, 4, 5, 6}));
  cr_expect_eq(producer.deleted, 1);
}

Test(dlpack, what_is_refused_stays_the_callers) {
  Producer<DLManagedTensor> producer;
  Tensor t;
  producer.managed.tensor.device.type = 2;
  REFUSED(intmill_tensor_from_dlpack(&producer.managed, &t), kUnsupported, "device type 2");
  producer.managed.tensor.device.type = 1;
  producer.managed.tensor.ndim = -1;
  REFUSED(intmill_tensor_from_dlpack(&producer.managed, &t), kInvalid, "rank -1");
  REFUSED(intmill_tensor_from_dlpack(&producer.managed, nullptr), kInvalid, "out is NULL");
  cr_expect_eq(producer.deleted, 0);
}

Test(dlpack, a_newer_major_version_is_refused) {
  Versioned producer;
  producer.managed.major = 2;
  Tensor t;
  REFUSED(intmill_tensor_from_dlpack_versioned(&producer.managed, &t), INTMILL_ERROR_BAD_VERSION,
          "DLPack version 2.0");
  cr_expect_eq(producer.deleted, 0);
}

Test(dlpack, null_arguments_are_refused) {
  Tensor t;
  DLManagedTensor* dl = nullptr;
  DLManagedTensorVersioned* versioned = nullptr;
  REFUSED(intmill_tensor_from_dlpack(nullptr, &t), kInvalid, "dl is NULL");
  REFUSED(intmill_tensor_from_dlpack_versioned(nullptr, &t), kInvalid, "dl is NULL");
  REFUSED(intmill_tensor_to_dlpack(nullptr, &dl), kInvalid, "t is NULL");
  REFUSED(intmill_tensor_to_dlpack_versioned(nullptr, &versioned), kInvalid, "t is NULL");
  const Tensor x = MakeFloats({1});
  REFUSED(intmill_tensor_to_dlpack(x, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_tensor_to_dlpack_versioned(x, nullptr), kInvalid, "out is NULL");
}

Test(dlpack, what_is_shown_outlives_its_tensor) {
  DLManagedTensor* dl = nullptr;
  {
    const Tensor t = MakeFloats({1, 2, 3});
    MUST(intmill_tensor_to_dlpack(t, &dl));
  }
  cr_expect_eq(static_cast<float*>(dl->tensor.data)[2], 3);
  cr_expect_eq(dl->tensor.ndim, 1);
  cr_expect_eq(dl->tensor.shape[0], 3);
  dl->deleter(dl);
}

Test(dlpack, a_round_trip_keeps_memory_type_and_shape) {
  const Tensor t = MakeTensor(INTMILL_BF16, {2, 1, 4});
  DLManagedTensorVersioned* dl = nullptr;
  MUST(intmill_tensor_to_dlpack_versioned(t, &dl));
  cr_expect_eq(dl->major, 1u);
  Tensor back;
  MUST(intmill_tensor_from_dlpack_versioned(dl, &back));
  cr_expect_eq(intmill_tensor_data(back), intmill_tensor_data(t));
  cr_expect_eq(intmill_tensor_dtype(back), INTMILL_BF16);
  cr_expect_eq(intmill_tensor_dims(back)[2], 4);
}
