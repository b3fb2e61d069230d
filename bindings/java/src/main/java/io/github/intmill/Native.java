package io.github.intmill;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * The C functions, as the shim in jni/ offers them, and what the shim calls. Handles are longs, 0
 * is NULL; strings are UTF-8, going in with a zero byte at their end. A status that is not OK is
 * thrown.
 */
final class Native {
  static {
    Loader.load();
  }

  private Native() {}

  static native int version();

  static native byte[] buildInfo();

  static native int isaDetected();

  static native void isaLimit(int highest);

  static native long doctor();

  static native long reportRows(long report);

  static native long reportColumns(long report);

  static native byte[] reportColumn(long report, long column);

  static native double reportF64(long report, long row, long column);

  static native byte[] reportStr(long report, long row, long column);

  static native byte[] reportJson(long report);

  static native void reportRelease(long report);

  static native long optionsCreate();

  static native long optionsFromJson(byte[] json);

  static native void optionsRelease(long options);

  static native void optionsSetI64(long options, byte[] layer, int key, long value);

  static native void optionsSetF64(long options, byte[] layer, int key, double value);

  static native void optionsSetStr(long options, byte[] layer, int key, byte[] value);

  static native byte[] optionsJson(long options);

  static native void optionsOnProgress(long options, long listeners);

  static native void optionsOnLog(long options, long listeners);

  static native long optionsKnown();

  static native long tensorCreate(int dtype, long[] shape);

  static native long tensorWrap(int dtype, long[] shape, Buffer buffer, long offset, long bytes);

  static native void tensorRelease(long tensor);

  static native int tensorDtype(long tensor);

  static native long[] tensorDims(long tensor);

  static native long tensorBytes(long tensor);

  static native ByteBuffer tensorBuffer(long tensor);

  static native long tensorQparams(long tensor);

  static native long tensorQuantize(long tensor, long qparams);

  static native long tensorDequantize(long tensor);

  static native long tensorFakeQuantize(long tensor, long qparams);

  static native double[] tensorCompare(long a, long b);

  static native long qparamsCreate(int dtype, int axis, float[] scales, int[] zeroPoints);

  static native long qparamsChoose(long tensor, int axis, long options);

  static native void qparamsRelease(long qparams);

  static native int qparamsDtype(long qparams);

  static native int qparamsAxis(long qparams);

  static native float[] qparamsScales(long qparams);

  static native int[] qparamsZeroPoints(long qparams);

  static native long modelLoad(byte[] path, long options);

  static native long modelLoadMemory(ByteBuffer buffer, long offset, long bytes, long options);

  static native void modelSave(long model, byte[] path, long options);

  static native long modelSaveMemory(long model, long options);

  static native void modelRelease(long model);

  static native long modelPortCount(long model, int side);

  static native byte[] modelPortName(long model, int side, long index);

  static native int modelPortDtype(long model, int side, long index);

  static native long[] modelPortDims(long model, int side, long index);

  static native long modelReport(long model, int kind);

  static native long modelAnnotate(long model, byte[] key, byte[] value);

  static native long probeCalibrate(long model, long options);

  static native long probeSensitivity(long model, long calibration, long options);

  static native long probeRounding(long model, long calibration, long options);

  static native long probeVerify(long reference, long candidate, long options);

  static native long probeCertify(long reference, long candidate, long options);

  static native long probeReplay(long model, long options);

  static native long modelCertify(long model, long certifying);

  static native long probeLoad(byte[] path, long options);

  static native void probeSave(long probe, byte[] path, long options);

  static native void probeMerge(long probe, long other);

  static native void probeFeed(long probe, long[] inputs, long[] targets);

  static native long probeReport(long probe, int kind);

  static native void probeRelease(long probe);

  static native long quantize(long model, long calibration, long options);

  static native long equalize(long model, long options);

  static native long smooth(long model, long calibration, long options);

  static native long sessionCreate(long model, long options);

  static native void sessionRun(long session, long[] inputs, long[] outputs);

  static native void sessionSave(long session, byte[] path);

  static native long sessionReport(long session, int kind);

  static native void sessionRelease(long session);

  static native long bindingCreate(long session);

  static native void bindingSet(long binding, int side, long index, long tensor);

  static native long bindingGet(long binding, int side, long index);

  static native void bindingRun(long binding);

  static native void bindingRelease(long binding);

  /** A string for C; null stays null. */
  static byte[] utf8(String text) {
    if (text == null) {
      return null;
    }
    if (text.indexOf('\0') >= 0) {
      throw new IntmillException(Status.INVALID_ARGUMENT, "a string has a zero character in it");
    }
    return (text + '\0').getBytes(UTF_8);
  }

  /** A string from C. */
  static String text(byte[] utf8) {
    return new String(utf8, UTF_8);
  }

  /** Called by the shim: the exception for a status that is not OK. */
  static IntmillException failure(int status, byte[] message) {
    return Listeners.explain(new IntmillException(Status.of(status), text(message)));
  }

  /** Called by the shim, on the thread of the operation: false stops it. */
  static boolean progress(long listeners, byte[] stage, long done, long total) {
    return Listeners.progress(listeners, new Progress(text(stage), done, total));
  }

  /** Called by the shim, on any thread. */
  static void log(long listeners, int level, byte[] message) {
    Listeners.log(listeners, level, text(message));
  }
}
