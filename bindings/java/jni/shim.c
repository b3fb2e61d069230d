/* Threads, exceptions, strings and arrays between Java and C. */
#include "shim.h"

#include <pthread.h>
#include <string.h>

static JavaVM* the_vm;
static jclass native_class;
static jmethodID failure_method;
static pthread_key_t attached_key;

_Static_assert(sizeof(jlong) == sizeof(void*), "handles travel as Java's long");

static void detach(void* vm) { (*(JavaVM*)vm)->DetachCurrentThread(vm); }

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void* reserved) {
  JNIEnv* env = NULL;
  the_vm = vm;
  if ((*vm)->GetEnv(vm, (void**)&env, JNI_VERSION_10) != JNI_OK) return JNI_ERR;
  if (pthread_key_create(&attached_key, detach) != 0) return JNI_ERR;
  jclass found = (*env)->FindClass(env, "io/github/intmill/Native");
  if (!found) return JNI_ERR;
  native_class = (*env)->NewGlobalRef(env, found);
  failure_method =
      (*env)->GetStaticMethodID(env, found, "failure", "(I[B)Lio/github/intmill/IntmillException;");
  return native_class && failure_method ? JNI_VERSION_10 : JNI_ERR;
}

JNIEnv* shim_env(void) {
  JNIEnv* env = NULL;
  const jint found = (*the_vm)->GetEnv(the_vm, (void**)&env, JNI_VERSION_10);
  if (found == JNI_OK) return env;
  if (found != JNI_EDETACHED) return NULL;
  if ((*the_vm)->AttachCurrentThreadAsDaemon(the_vm, (void**)&env, NULL) != JNI_OK) return NULL;
  pthread_setspecific(attached_key, the_vm); /* detaches when the thread ends */
  return env;
}

bool shim_ok(JNIEnv* env, intmill_status status) {
  if ((*env)->ExceptionCheck(env)) return false;
  if (status == INTMILL_OK) return true;
  jbyteArray message = shim_bytes(env, intmill_last_error());
  if (!message) return false;
  jobject failure =
      (*env)->CallStaticObjectMethod(env, native_class, failure_method, (jint)status, message);
  if (!(*env)->ExceptionCheck(env) && failure) (*env)->Throw(env, failure);
  return false;
}

jbyteArray shim_bytes(JNIEnv* env, const char* text) {
  if (!text) return NULL;
  const jsize size = (jsize)strlen(text);
  jbyteArray bytes = (*env)->NewByteArray(env, size);
  if (bytes) (*env)->SetByteArrayRegion(env, bytes, 0, size, (const jbyte*)text);
  return bytes;
}

const char* shim_text(JNIEnv* env, jbyteArray bytes) {
  return bytes ? (const char*)(*env)->GetByteArrayElements(env, bytes, NULL) : NULL;
}

void shim_text_done(JNIEnv* env, jbyteArray bytes, const char* text) {
  if (text) (*env)->ReleaseByteArrayElements(env, bytes, (jbyte*)text, JNI_ABORT);
}

int64_t* shim_longs(JNIEnv* env, jlongArray array) {
  return array ? (int64_t*)(*env)->GetLongArrayElements(env, array, NULL) : NULL;
}

void shim_longs_done(JNIEnv* env, jlongArray array, int64_t* longs, bool copy_back) {
  if (longs) (*env)->ReleaseLongArrayElements(env, array, (jlong*)longs, copy_back ? 0 : JNI_ABORT);
}

intmill_tensor** shim_tensors(JNIEnv* env, jlongArray array) {
  return (intmill_tensor**)(void*)shim_longs(env, array);
}

void shim_free_buffer(void* user, void* data) {
  (void)data;
  JNIEnv* env = shim_env();
  if (env) (*env)->DeleteGlobalRef(env, user);
}
