/* Sessions and bindings. */
#include "shim.h"

NATIVE(jlong, sessionCreate)(JNIEnv* env, jclass self, jlong model, jlong opts) {
  intmill_session* out = NULL;
  shim_ok(env, intmill_session_create(FROM_JAVA(model, model), FROM_JAVA(options, opts), &out));
  return TO_JAVA(out);
}

/* Entries of outputs that are 0 become the tensors that were made. */
NATIVE(void, sessionRun)
(JNIEnv* env, jclass self, jlong session, jlongArray inputs, jlongArray outputs) {
  intmill_tensor** in = shim_tensors(env, inputs);
  intmill_tensor** out = shim_tensors(env, outputs);
  const int64_t n_in = (*env)->GetArrayLength(env, inputs);
  const int64_t n_out = (*env)->GetArrayLength(env, outputs);
  shim_ok(env, intmill_session_run(FROM_JAVA(session, session), in, n_in, out, n_out));
  shim_longs_done(env, outputs, (int64_t*)(void*)out, true);
  shim_longs_done(env, inputs, (int64_t*)(void*)in, false);
}

NATIVE(void, sessionSave)(JNIEnv* env, jclass self, jlong session, jbyteArray path) {
  const char* text = shim_text(env, path);
  shim_ok(env, intmill_session_save(FROM_JAVA(session, session), text));
  shim_text_done(env, path, text);
}

NATIVE(jlong, sessionReport)(JNIEnv* env, jclass self, jlong session, jint kind) {
  intmill_report* out = NULL;
  shim_ok(env,
          intmill_session_report(FROM_JAVA(session, session), (intmill_report_kind)kind, &out));
  return TO_JAVA(out);
}

NATIVE(void, sessionRelease)(JNIEnv* env, jclass self, jlong session) {
  intmill_session_release(FROM_JAVA(session, session));
}

NATIVE(jlong, bindingCreate)(JNIEnv* env, jclass self, jlong session) {
  intmill_binding* out = NULL;
  shim_ok(env, intmill_binding_create(FROM_JAVA(session, session), &out));
  return TO_JAVA(out);
}

NATIVE(void, bindingSet)
(JNIEnv* env, jclass self, jlong binding, jint side, jlong index, jlong tensor) {
  shim_ok(env, intmill_binding_set(FROM_JAVA(binding, binding), (intmill_side)side, index,
                                   FROM_JAVA(tensor, tensor)));
}

NATIVE(jlong, bindingGet)(JNIEnv* env, jclass self, jlong binding, jint side, jlong index) {
  intmill_tensor* out = NULL;
  shim_ok(env, intmill_binding_get(FROM_JAVA(binding, binding), (intmill_side)side, index, &out));
  return TO_JAVA(out);
}

NATIVE(void, bindingRun)(JNIEnv* env, jclass self, jlong binding) {
  shim_ok(env, intmill_binding_run(FROM_JAVA(binding, binding)));
}

NATIVE(void, bindingRelease)(JNIEnv* env, jclass self, jlong binding) {
  intmill_binding_release(FROM_JAVA(binding, binding));
}
