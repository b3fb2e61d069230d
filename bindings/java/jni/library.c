/* The library as a whole, and reports. */
#include "shim.h"

NATIVE(jint, version)(JNIEnv* env, jclass self) { return intmill_version(); }

NATIVE(jbyteArray, buildInfo)(JNIEnv* env, jclass self) {
  return shim_bytes(env, intmill_build_info());
}

NATIVE(jint, isaDetected)(JNIEnv* env, jclass self) { return (jint)intmill_isa_detected(); }

NATIVE(void, isaLimit)(JNIEnv* env, jclass self, jint highest) {
  shim_ok(env, intmill_isa_limit((intmill_isa)highest));
}

NATIVE(jlong, doctor)(JNIEnv* env, jclass self) {
  intmill_report* out = NULL;
  shim_ok(env, intmill_doctor(&out));
  return TO_JAVA(out);
}

NATIVE(jlong, reportRows)(JNIEnv* env, jclass self, jlong report) {
  return intmill_report_rows(FROM_JAVA(report, report));
}

NATIVE(jlong, reportColumns)(JNIEnv* env, jclass self, jlong report) {
  return intmill_report_columns(FROM_JAVA(report, report));
}

NATIVE(jbyteArray, reportColumn)(JNIEnv* env, jclass self, jlong report, jlong column) {
  return shim_bytes(env, intmill_report_column(FROM_JAVA(report, report), column));
}

NATIVE(jdouble, reportF64)(JNIEnv* env, jclass self, jlong report, jlong row, jlong column) {
  return intmill_report_f64(FROM_JAVA(report, report), row, column);
}

NATIVE(jbyteArray, reportStr)(JNIEnv* env, jclass self, jlong report, jlong row, jlong column) {
  return shim_bytes(env, intmill_report_str(FROM_JAVA(report, report), row, column));
}

NATIVE(jbyteArray, reportJson)(JNIEnv* env, jclass self, jlong report) {
  return shim_bytes(env, intmill_report_json(FROM_JAVA(report, report)));
}

NATIVE(void, reportRelease)(JNIEnv* env, jclass self, jlong report) {
  intmill_report_release(FROM_JAVA(report, report));
}
