/* Options, and the hooks: the library calls these functions, which call Native.java. */
#include "shim.h"

static jclass native_class; /* set with the first hook, and kept */
static jmethodID progress_method, log_method;

/* `user` is the number under which Native.java finds the listeners: a number cannot dangle. */
static int32_t on_progress(void* user, const intmill_progress* now) {
  JNIEnv* env = shim_env();
  if (!env) return 0;
  if ((*env)->ExceptionCheck(env)) return 1;
  jbyteArray stage = shim_bytes(env, now->stage);
  if (!stage) return 1;
  const jboolean go_on =
      (*env)->CallStaticBooleanMethod(env, native_class, progress_method, TO_JAVA(user), stage,
                                      (jlong)now->done, (jlong)now->total);
  const bool failed = (*env)->ExceptionCheck(env);
  (*env)->DeleteLocalRef(env, stage);
  return failed || !go_on;
}

static void on_log(void* user, int32_t level, const char* message) {
  JNIEnv* env = shim_env();
  if (!env || (*env)->ExceptionCheck(env)) return;
  jbyteArray text = shim_bytes(env, message);
  if (!text) return;
  (*env)->CallStaticVoidMethod(env, native_class, log_method, TO_JAVA(user), (jint)level, text);
  (void)(*env)->ExceptionCheck(env); /* Native.log catches everything; this asks for -Xcheck:jni */
  (*env)->DeleteLocalRef(env, text);
}

static bool find_hooks(JNIEnv* env, jclass self) {
  if (native_class) return true;
  progress_method = (*env)->GetStaticMethodID(env, self, "progress", "(J[BJJ)Z");
  if (!progress_method) return false;
  log_method = (*env)->GetStaticMethodID(env, self, "log", "(JI[B)V");
  if (!log_method) return false;
  native_class = (*env)->NewGlobalRef(env, self);
  return native_class != NULL;
}

NATIVE(jlong, optionsCreate)(JNIEnv* env, jclass self) {
  intmill_options* out = NULL;
  shim_ok(env, intmill_options_create(&out));
  return TO_JAVA(out);
}

NATIVE(jlong, optionsFromJson)(JNIEnv* env, jclass self, jbyteArray json) {
  intmill_options* out = NULL;
  const char* text = shim_text(env, json);
  shim_ok(env, intmill_options_from_json(text, &out));
  shim_text_done(env, json, text);
  return TO_JAVA(out);
}

NATIVE(void, optionsRelease)(JNIEnv* env, jclass self, jlong opts) {
  intmill_options_release(FROM_JAVA(options, opts));
}

NATIVE(void, optionsSetI64)
(JNIEnv* env, jclass self, jlong opts, jbyteArray layer, jint key, jlong value) {
  const char* name = shim_text(env, layer);
  shim_ok(env, intmill_options_set_i64(FROM_JAVA(options, opts), name, (intmill_opt)key, value));
  shim_text_done(env, layer, name);
}

NATIVE(void, optionsSetF64)
(JNIEnv* env, jclass self, jlong opts, jbyteArray layer, jint key, jdouble value) {
  const char* name = shim_text(env, layer);
  shim_ok(env, intmill_options_set_f64(FROM_JAVA(options, opts), name, (intmill_opt)key, value));
  shim_text_done(env, layer, name);
}

NATIVE(void, optionsSetStr)
(JNIEnv* env, jclass self, jlong opts, jbyteArray layer, jint key, jbyteArray value) {
  const char* name = shim_text(env, layer);
  const char* text = shim_text(env, value);
  shim_ok(env, intmill_options_set_str(FROM_JAVA(options, opts), name, (intmill_opt)key, text));
  shim_text_done(env, value, text);
  shim_text_done(env, layer, name);
}

NATIVE(jbyteArray, optionsJson)(JNIEnv* env, jclass self, jlong opts) {
  return shim_bytes(env, intmill_options_json(FROM_JAVA(options, opts)));
}

NATIVE(void, optionsOnProgress)(JNIEnv* env, jclass self, jlong opts, jlong number) {
  if (find_hooks(env, self))
    shim_ok(env, intmill_options_on_progress(FROM_JAVA(options, opts), on_progress,
                                             (void*)(intptr_t)number));
}

NATIVE(void, optionsOnLog)(JNIEnv* env, jclass self, jlong opts, jlong number) {
  if (find_hooks(env, self))
    shim_ok(env, intmill_options_on_log(FROM_JAVA(options, opts), on_log, (void*)(intptr_t)number));
}

NATIVE(jlong, optionsKnown)(JNIEnv* env, jclass self) {
  intmill_report* out = NULL;
  shim_ok(env, intmill_options_known(&out));
  return TO_JAVA(out);
}
