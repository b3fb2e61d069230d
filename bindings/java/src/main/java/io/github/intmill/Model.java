package io.github.intmill;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A graph with weights, in float or quantized. It never changes: any thread may use it. */
public final class Model extends NativeObject {
  Model(long address, Options options) {
    super("Model", address, Native::modelRelease, options.listeners);
  }

  /** As {@link #load(Path, Options)}, with defaults. */
  public static Model load(Path path) {
    return load(path, Options.NONE);
  }

  /** Loads an ONNX or .im file. The latter is mapped: replace it by renaming, never in place. */
  public static Model load(Path path, Options options) {
    try (Call call = new Call()) {
      byte[] name = Native.utf8(path.toString());
      return new Model(Native.modelLoad(name, call.use(options)), options);
    }
  }

  /**
   * Loads a model file from memory. A direct buffer is borrowed until nothing needs it: do not write
   * into it. Another one is copied.
   */
  public static Model load(ByteBuffer file, Options options) {
    ByteBuffer direct = file;
    if (!file.isDirect()) {
      direct = ByteBuffer.allocateDirect(file.remaining()).put(file.duplicate()).flip();
    }
    try (Call call = new Call()) {
      long opts = call.use(options);
      return new Model(
          Native.modelLoadMemory(direct, direct.position(), direct.remaining(), opts), options);
    }
  }

  /** As {@link #save(Path, Options)}, with defaults: an .im file. */
  public void save(Path path) {
    save(path, Options.NONE);
  }

  /** Writes an .im file, or ONNX where FORMAT is "onnx". It appears whole or not at all. */
  public void save(Path path, Options options) {
    try (Call call = new Call()) {
      Native.modelSave(call.use(this), Native.utf8(path.toString()), call.use(options));
    }
  }

  /** The bytes of that file, as a tensor of type U8. */
  public Tensor toTensor(Options options) {
    return Call.with(call -> new Tensor(Native.modelSaveMemory(call.use(this), call.use(options))));
  }

  /** What goes in. */
  public List<Port> inputs() {
    return ports(Side.INPUT);
  }

  /** What comes out. */
  public List<Port> outputs() {
    return ports(Side.OUTPUT);
  }

  /** LAYERS or METADATA. */
  public Report report(ReportKind kind) {
    return Call.with(call -> Report.take(Native.modelReport(call.use(this), kind.value())));
  }

  /** The same model with one more fact in its metadata; an empty value removes the key. */
  public Model annotate(String key, String value) {
    try (Call call = new Call()) {
      long annotated =
          Native.modelAnnotate(call.use(this), Native.utf8(key), Native.utf8(value));
      return new Model(annotated, Options.NONE);
    }
  }

  /** The same model with a certificate of what a {@link Probe#certify} of it found. */
  public Model certify(Probe certifying) {
    try (Call call = new Call()) {
      return new Model(
          Native.modelCertify(call.use(this), call.use(certifying)), Options.NONE);
    }
  }

  /**
   * The 8-bit model of this float model.
   *
   * @param calibration what saw the ranges; null where no layer's scheme is STATIC
   */
  public Model quantize(Probe calibration, Options options) {
    try (Call call = new Call()) {
      long probe = calibration == null ? 0 : call.use(calibration);
      return new Model(Native.quantize(call.use(this), probe, call.use(options)), options);
    }
  }

  /**
   * An equal float model whose channels have weights of like size on both sides, for one scale a
   * weight. Calibrate it afterwards.
   */
  public Model equalize(Options options) {
    try (Call call = new Call()) {
      return new Model(Native.equalize(call.use(this), call.use(options)), options);
    }
  }

  /** An equal float model without outlier channels (SmoothQuant). Calibrate it anew. */
  public Model smooth(Probe calibration, Options options) {
    try (Call call = new Call()) {
      return new Model(
          Native.smooth(call.use(this), call.use(calibration), call.use(options)), options);
    }
  }

  private List<Port> ports(Side side) {
    try (Call call = new Call()) {
      long m = call.use(this);
      return IntStream.range(0, (int) Native.modelPortCount(m, side.value()))
          .mapToObj(i -> port(m, side.value(), i))
          .toList();
    }
  }

  private static Port port(long m, int side, int i) {
    String name = Native.text(Native.modelPortName(m, side, i));
    long[] dims = Native.modelPortDims(m, side, i);
    List<Long> shape = dims == null ? null : Arrays.stream(dims).boxed().toList();
    return new Port(name, DType.of(Native.modelPortDtype(m, side, i)), shape);
  }
}
