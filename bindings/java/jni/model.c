/* Models, probes, and quantizing. */
#include "shim.h"

NATIVE(jlong, modelLoad)(JNIEnv* env, jclass self, jbyteArray path, jlong opts) {
  intmill_model* out = NULL;
  const char* text = shim_text(env, path);
  shim_ok(env, intmill_model_load(text, FROM_JAVA(options, opts), &out));
  shim_text_done(env, path, text);
  return TO_JAVA(out);
}

NATIVE(jlong, modelLoadMemory)
(JNIEnv* env, jclass self, jobject buffer, jlong offset, jlong bytes, jlong opts) {
  intmill_model* out = NULL;
  jobject owner = (*env)->NewGlobalRef(env, buffer);
  const char* data = (*env)->GetDirectBufferAddress(env, buffer);
  shim_ok(env, intmill_model_load_memory(data + offset, bytes, shim_free_buffer, owner,
                                         FROM_JAVA(options, opts), &out));
  if (!out) (*env)->DeleteGlobalRef(env, owner); /* nothing was taken over */
  return TO_JAVA(out);
}

NATIVE(void, modelSave)(JNIEnv* env, jclass self, jlong model, jbyteArray path, jlong opts) {
  const char* text = shim_text(env, path);
  shim_ok(env, intmill_model_save(FROM_JAVA(model, model), text, FROM_JAVA(options, opts)));
  shim_text_done(env, path, text);
}

NATIVE(jlong, modelSaveMemory)(JNIEnv* env, jclass self, jlong model, jlong opts) {
  intmill_tensor* out = NULL;
  shim_ok(env, intmill_model_save_memory(FROM_JAVA(model, model), FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(void, modelRelease)(JNIEnv* env, jclass self, jlong model) {
  intmill_model_release(FROM_JAVA(model, model));
}

NATIVE(jlong, modelPortCount)(JNIEnv* env, jclass self, jlong model, jint side) {
  return intmill_model_port_count(FROM_JAVA(model, model), (intmill_side)side);
}

static intmill_port get_port(JNIEnv* env, jlong model, jint side, jlong index) {
  intmill_port port = INTMILL_PORT_INIT;
  shim_ok(env, intmill_model_port(FROM_JAVA(model, model), (intmill_side)side, index, &port));
  return port;
}

NATIVE(jbyteArray, modelPortName)(JNIEnv* env, jclass self, jlong model, jint side, jlong index) {
  return shim_bytes(env, get_port(env, model, side, index).name);
}

NATIVE(jint, modelPortDtype)(JNIEnv* env, jclass self, jlong model, jint side, jlong index) {
  return (jint)get_port(env, model, side, index).dtype;
}

/* null: the rank is decided when the model runs. */
NATIVE(jlongArray, modelPortDims)(JNIEnv* env, jclass self, jlong model, jint side, jlong index) {
  const intmill_port port = get_port(env, model, side, index);
  if ((*env)->ExceptionCheck(env) || port.rank < 0) return NULL;
  jlongArray dims = (*env)->NewLongArray(env, (jsize)port.rank);
  if (dims && port.rank > 0)
    (*env)->SetLongArrayRegion(env, dims, 0, (jsize)port.rank, (const jlong*)port.dims);
  return dims;
}

NATIVE(jlong, modelReport)(JNIEnv* env, jclass self, jlong model, jint kind) {
  intmill_report* out = NULL;
  shim_ok(env, intmill_model_report(FROM_JAVA(model, model), (intmill_report_kind)kind, &out));
  return TO_JAVA(out);
}

NATIVE(jlong, modelAnnotate)
(JNIEnv* env, jclass self, jlong model, jbyteArray key, jbyteArray value) {
  intmill_model* out = NULL;
  const char* name = shim_text(env, key);
  const char* text = shim_text(env, value);
  shim_ok(env, intmill_model_annotate(FROM_JAVA(model, model), name, text, &out));
  shim_text_done(env, value, text);
  shim_text_done(env, key, name);
  return TO_JAVA(out);
}

NATIVE(jlong, probeCalibrate)(JNIEnv* env, jclass self, jlong model, jlong opts) {
  intmill_probe* out = NULL;
  shim_ok(env, intmill_probe_calibrate(FROM_JAVA(model, model), FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, probeSensitivity)
(JNIEnv* env, jclass self, jlong model, jlong calibration, jlong opts) {
  intmill_probe* out = NULL;
  shim_ok(env, intmill_probe_sensitivity(FROM_JAVA(model, model), FROM_JAVA(probe, calibration),
                                         FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, probeRounding)
(JNIEnv* env, jclass self, jlong model, jlong calibration, jlong opts) {
  intmill_probe* out = NULL;
  shim_ok(env, intmill_probe_rounding(FROM_JAVA(model, model), FROM_JAVA(probe, calibration),
                                      FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, equalize)(JNIEnv* env, jclass self, jlong model, jlong opts) {
  intmill_model* out = NULL;
  shim_ok(env, intmill_equalize(FROM_JAVA(model, model), FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, smooth)(JNIEnv* env, jclass self, jlong model, jlong calibration, jlong opts) {
  intmill_model* out = NULL;
  shim_ok(env, intmill_smooth(FROM_JAVA(model, model), FROM_JAVA(probe, calibration),
                              FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, probeVerify)(JNIEnv* env, jclass self, jlong reference, jlong candidate, jlong opts) {
  intmill_probe* out = NULL;
  shim_ok(env, intmill_probe_verify(FROM_JAVA(model, reference), FROM_JAVA(model, candidate),
                                    FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, probeCertify)
(JNIEnv* env, jclass self, jlong reference, jlong candidate, jlong opts) {
  intmill_probe* out = NULL;
  shim_ok(env, intmill_probe_certify(FROM_JAVA(model, reference), FROM_JAVA(model, candidate),
                                     FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, probeReplay)(JNIEnv* env, jclass self, jlong model, jlong opts) {
  intmill_probe* out = NULL;
  shim_ok(env, intmill_probe_replay(FROM_JAVA(model, model), FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, modelCertify)(JNIEnv* env, jclass self, jlong model, jlong certifying) {
  intmill_model* out = NULL;
  shim_ok(env, intmill_model_certify(FROM_JAVA(model, model), FROM_JAVA(probe, certifying), &out));
  return TO_JAVA(out);
}

NATIVE(jlong, probeLoad)(JNIEnv* env, jclass self, jbyteArray path, jlong opts) {
  intmill_probe* out = NULL;
  const char* text = shim_text(env, path);
  shim_ok(env, intmill_probe_load(text, FROM_JAVA(options, opts), &out));
  shim_text_done(env, path, text);
  return TO_JAVA(out);
}

NATIVE(void, probeSave)(JNIEnv* env, jclass self, jlong probe, jbyteArray path, jlong opts) {
  const char* text = shim_text(env, path);
  shim_ok(env, intmill_probe_save(FROM_JAVA(probe, probe), text, FROM_JAVA(options, opts)));
  shim_text_done(env, path, text);
}

NATIVE(void, probeMerge)(JNIEnv* env, jclass self, jlong probe, jlong other) {
  shim_ok(env, intmill_probe_merge(FROM_JAVA(probe, probe), FROM_JAVA(probe, other)));
}

NATIVE(void, probeFeed)
(JNIEnv* env, jclass self, jlong probe, jlongArray inputs, jlongArray targets) {
  intmill_tensor** in = shim_tensors(env, inputs);
  intmill_tensor** wanted = shim_tensors(env, targets);
  const int64_t n_in = (*env)->GetArrayLength(env, inputs);
  const int64_t n_wanted = (*env)->GetArrayLength(env, targets);
  shim_ok(env, intmill_probe_feed(FROM_JAVA(probe, probe), in, n_in, wanted, n_wanted));
  shim_longs_done(env, targets, (int64_t*)(void*)wanted, false);
  shim_longs_done(env, inputs, (int64_t*)(void*)in, false);
}

NATIVE(jlong, probeReport)(JNIEnv* env, jclass self, jlong probe, jint kind) {
  intmill_report* out = NULL;
  shim_ok(env, intmill_probe_report(FROM_JAVA(probe, probe), (intmill_report_kind)kind, &out));
  return TO_JAVA(out);
}

NATIVE(void, probeRelease)(JNIEnv* env, jclass self, jlong probe) {
  intmill_probe_release(FROM_JAVA(probe, probe));
}

NATIVE(jlong, quantize)(JNIEnv* env, jclass self, jlong model, jlong calibration, jlong opts) {
  intmill_model* out = NULL;
  shim_ok(env, intmill_quantize(FROM_JAVA(model, model), FROM_JAVA(probe, calibration),
                                FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}
