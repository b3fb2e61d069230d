package io.github.intmill;

/** Scales and zero points: q = saturate(round(x / scale) + zero point). A value without a close. */
public final class QParams {
  private final DType dtype;
  private final int axis;
  private final float[] scales;
  private final int[] zeroPoints;

  private QParams(DType dtype, int axis, float[] scales, int[] zeroPoints) {
    this.dtype = dtype;
    this.axis = axis;
    this.scales = scales;
    this.zeroPoints = zeroPoints;
  }

  /** One scale for a whole tensor; dtype is S8 or U8. */
  public static QParams of(DType dtype, float scale, int zeroPoint) {
    return of(dtype, -1, new float[] {scale}, new int[] {zeroPoint});
  }

  /** One scale and zero point for each index of an axis; -1: one for the whole tensor. */
  public static QParams of(DType dtype, int axis, float[] scales, int[] zeroPoints) {
    if (scales.length != zeroPoints.length) {
      throw new IllegalArgumentException(
          scales.length + " scales, but " + zeroPoints.length + " zero points");
    }
    QParams params = new QParams(dtype, axis, scales.clone(), zeroPoints.clone());
    Native.qparamsRelease(params.create()); // the library checks them
    return params;
  }

  /** Chooses them for a tensor of floats: axis -1 as for an activation, else as for a weight. */
  public static QParams choose(Tensor x, int axis, Options options) {
    try (Call call = new Call()) {
      long chosen = Native.qparamsChoose(call.use(x), axis, call.use(options));
      return read(call.own(chosen, Native::qparamsRelease, null));
    }
  }

  static QParams read(long params) {
    return new QParams(
        DType.of(Native.qparamsDtype(params)),
        Native.qparamsAxis(params),
        Native.qparamsScales(params),
        Native.qparamsZeroPoints(params));
  }

  /** A C object with all this; the caller releases it. */
  long create() {
    return Native.qparamsCreate(dtype.value(), axis, scales, zeroPoints);
  }

  /** The type they quantize to. */
  public DType dtype() {
    return dtype;
  }

  /** The axis with one scale for each index; -1: one scale for all. */
  public int axis() {
    return axis;
  }

  /** A copy of the scales. */
  public float[] scales() {
    return scales.clone();
  }

  /** A copy of the zero points, as many as scales. */
  public int[] zeroPoints() {
    return zeroPoints.clone();
  }
}
