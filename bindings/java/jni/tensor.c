/* Tensors and quantization parameters. */
#include "shim.h"

NATIVE(jlong, tensorCreate)(JNIEnv* env, jclass self, jint dtype, jlongArray shape) {
  intmill_tensor* out = NULL;
  int64_t* dims = shim_longs(env, shape);
  const int64_t rank = (*env)->GetArrayLength(env, shape);
  shim_ok(env, intmill_tensor_create((intmill_dtype)dtype, rank, dims, &out));
  shim_longs_done(env, shape, dims, false);
  return TO_JAVA(out);
}

NATIVE(jlong, tensorWrap)
(JNIEnv* env, jclass self, jint dtype, jlongArray shape, jobject buffer, jlong offset,
 jlong bytes) {
  intmill_tensor* out = NULL;
  jobject owner = (*env)->NewGlobalRef(env, buffer);
  char* data = (*env)->GetDirectBufferAddress(env, buffer);
  int64_t* dims = shim_longs(env, shape);
  const int64_t rank = (*env)->GetArrayLength(env, shape);
  shim_ok(env, intmill_tensor_wrap((intmill_dtype)dtype, rank, dims, data + offset, bytes,
                                   shim_free_buffer, owner, &out));
  shim_longs_done(env, shape, dims, false);
  if (!out) (*env)->DeleteGlobalRef(env, owner); /* nothing was taken over */
  return TO_JAVA(out);
}

NATIVE(void, tensorRelease)(JNIEnv* env, jclass self, jlong tensor) {
  intmill_tensor_release(FROM_JAVA(tensor, tensor));
}

NATIVE(jint, tensorDtype)(JNIEnv* env, jclass self, jlong tensor) {
  return (jint)intmill_tensor_dtype(FROM_JAVA(tensor, tensor));
}

NATIVE(jlongArray, tensorDims)(JNIEnv* env, jclass self, jlong tensor) {
  const jsize rank = (jsize)intmill_tensor_rank(FROM_JAVA(tensor, tensor));
  jlongArray shape = (*env)->NewLongArray(env, rank);
  if (shape && rank > 0)
    (*env)->SetLongArrayRegion(env, shape, 0, rank,
                               (const jlong*)intmill_tensor_dims(FROM_JAVA(tensor, tensor)));
  return shape;
}

NATIVE(jlong, tensorBytes)(JNIEnv* env, jclass self, jlong tensor) {
  return intmill_tensor_bytes(FROM_JAVA(tensor, tensor));
}

NATIVE(jobject, tensorBuffer)(JNIEnv* env, jclass self, jlong tensor) {
  intmill_tensor* t = FROM_JAVA(tensor, tensor);
  return (*env)->NewDirectByteBuffer(env, intmill_tensor_data(t), intmill_tensor_bytes(t));
}

NATIVE(jlong, tensorQparams)(JNIEnv* env, jclass self, jlong tensor) {
  return TO_JAVA(intmill_tensor_qparams(FROM_JAVA(tensor, tensor)));
}

NATIVE(jlong, tensorQuantize)(JNIEnv* env, jclass self, jlong tensor, jlong params) {
  intmill_tensor* out = NULL;
  shim_ok(env,
          intmill_tensor_quantize(FROM_JAVA(tensor, tensor), FROM_JAVA(qparams, params), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, tensorDequantize)(JNIEnv* env, jclass self, jlong tensor) {
  intmill_tensor* out = NULL;
  shim_ok(env, intmill_tensor_dequantize(FROM_JAVA(tensor, tensor), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, tensorFakeQuantize)(JNIEnv* env, jclass self, jlong tensor, jlong params) {
  intmill_tensor* out = NULL;
  shim_ok(env, intmill_tensor_fake_quantize(FROM_JAVA(tensor, tensor), FROM_JAVA(qparams, params),
                                            &out));
  return TO_JAVA(out);
}

NATIVE(jdoubleArray, tensorCompare)(JNIEnv* env, jclass self, jlong a, jlong b) {
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  if (!shim_ok(env, intmill_tensor_compare(FROM_JAVA(tensor, a), FROM_JAVA(tensor, b), &d)))
    return NULL;
  const jdouble values[] = {d.max_abs,         d.mean_abs,       d.mse, d.sqnr_db, d.cosine,
                            (double)d.bytes_a, (double)d.bytes_b};
  const jsize n = sizeof values / sizeof *values;
  jdoubleArray array = (*env)->NewDoubleArray(env, n);
  if (array) (*env)->SetDoubleArrayRegion(env, array, 0, n, values);
  return array;
}

NATIVE(jlong, qparamsCreate)
(JNIEnv* env, jclass self, jint dtype, jint axis, jfloatArray scales, jintArray zero_points) {
  intmill_qparams* out = NULL;
  const jsize n = (*env)->GetArrayLength(env, scales);
  jfloat* scale = (*env)->GetFloatArrayElements(env, scales, NULL);
  jint* zero = (*env)->GetIntArrayElements(env, zero_points, NULL);
  shim_ok(env, intmill_qparams_create((intmill_dtype)dtype, axis, n, scale, zero, &out));
  if (zero) (*env)->ReleaseIntArrayElements(env, zero_points, zero, JNI_ABORT);
  if (scale) (*env)->ReleaseFloatArrayElements(env, scales, scale, JNI_ABORT);
  return TO_JAVA(out);
}

NATIVE(jlong, qparamsChoose)(JNIEnv* env, jclass self, jlong tensor, jint axis, jlong opts) {
  intmill_qparams* out = NULL;
  shim_ok(env,
          intmill_qparams_choose(FROM_JAVA(tensor, tensor), axis, FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(void, qparamsRelease)(JNIEnv* env, jclass self, jlong params) {
  intmill_qparams_release(FROM_JAVA(qparams, params));
}

NATIVE(jint, qparamsDtype)(JNIEnv* env, jclass self, jlong params) {
  return (jint)intmill_qparams_dtype(FROM_JAVA(qparams, params));
}

NATIVE(jint, qparamsAxis)(JNIEnv* env, jclass self, jlong params) {
  return intmill_qparams_axis(FROM_JAVA(qparams, params));
}

NATIVE(jfloatArray, qparamsScales)(JNIEnv* env, jclass self, jlong params) {
  const intmill_qparams* q = FROM_JAVA(qparams, params);
  const jsize n = (jsize)intmill_qparams_count(q);
  jfloatArray scales = (*env)->NewFloatArray(env, n);
  if (scales) (*env)->SetFloatArrayRegion(env, scales, 0, n, intmill_qparams_scales(q));
  return scales;
}

NATIVE(jintArray, qparamsZeroPoints)(JNIEnv* env, jclass self, jlong params) {
  const intmill_qparams* q = FROM_JAVA(qparams, params);
  const jsize n = (jsize)intmill_qparams_count(q);
  jintArray zero_points = (*env)->NewIntArray(env, n);
  if (zero_points)
    (*env)->SetIntArrayRegion(env, zero_points, 0, n, intmill_qparams_zero_points(q));
  return zero_points;
}
