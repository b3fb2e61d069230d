/* What the files of the JNI shim share. The natives' prototypes are javac's, so that a difference
 * between Native.java and this folder does not compile; intmill.h's types are checked likewise. */
#ifndef INTMILL_BINDINGS_JAVA_SHIM_H
#define INTMILL_BINDINGS_JAVA_SHIM_H

#include <intmill/intmill.h>
#include <jni.h>
#include <stdbool.h>
#include <stdint.h>

#include "io_github_intmill_Native.h"

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_io_github_intmill_Native_##name

/* Java holds a handle as a long; 0 is NULL. */
#define FROM_JAVA(type, handle) ((intmill_##type*)(intptr_t)(handle))
#define TO_JAVA(pointer) ((jlong)(intptr_t)(pointer))

/* The calling thread's environment; attaches a thread that Java does not know. NULL: no more JVM.
 */
JNIEnv* shim_env(void);

/* True for INTMILL_OK; otherwise an IntmillException is pending. An exception that is pending
 * already, as after a failed allocation, stays, and the answer is false. */
bool shim_ok(JNIEnv* env, intmill_status status);

/* A C string as byte[]; null for NULL. */
jbyteArray shim_bytes(JNIEnv* env, const char* text);

/* A byte[] that ends with a zero byte, as a C string; NULL for null. */
const char* shim_text(JNIEnv* env, jbyteArray bytes);
void shim_text_done(JNIEnv* env, jbyteArray bytes, const char* text);

/* A long[]; NULL for null. Handles are longs, so that an array of them is one of pointers. */
int64_t* shim_longs(JNIEnv* env, jlongArray array);
void shim_longs_done(JNIEnv* env, jlongArray array, int64_t* longs, bool copy_back);
intmill_tensor** shim_tensors(JNIEnv* env, jlongArray array);

/* An intmill_free_fn: user is a global reference to the buffer that owns the memory. */
void shim_free_buffer(void* user, void* data);

#endif /* INTMILL_BINDINGS_JAVA_SHIM_H */
