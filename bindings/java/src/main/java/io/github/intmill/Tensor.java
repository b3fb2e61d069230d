package io.github.intmill;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Numbers with a type and a shape, row-major and dense. One thread at a time may write a tensor;
 * many may read one that nobody writes.
 */
public final class Tensor extends NativeObject {
  private final boolean readOnly;
  private ByteBuffer memory; // made by the first data()

  Tensor(long address) {
    this(address, false);
  }

  Tensor(long address, boolean readOnly) {
    super("Tensor", address, Native::tensorRelease, null);
    this.readOnly = readOnly;
  }

  /** A tensor of zeros; no sizes: one value. */
  public static Tensor zeros(DType dtype, long... shape) {
    return new Tensor(Native.tensorCreate(dtype.value(), shape));
  }

  /** A tensor with a copy of these numbers. */
  public static Tensor of(float[] values, long... shape) {
    Tensor t = zeros(DType.F32, shape);
    t.fill(values.length, memory -> memory.asFloatBuffer().put(values));
    return t;
  }

  /** A tensor with a copy of these numbers. */
  public static Tensor of(int[] values, long... shape) {
    Tensor t = zeros(DType.S32, shape);
    t.fill(values.length, memory -> memory.asIntBuffer().put(values));
    return t;
  }

  /**
   * A tensor of the memory between position and limit of a direct buffer, without a copy. What
   * either side writes the other sees; the tensor keeps the buffer alive. A read-only one makes a
   * tensor that cannot be an output. Numbers are in the machine's byte order.
   */
  public static Tensor wrap(DType dtype, ByteBuffer buffer, long... shape) {
    return wrap(dtype, buffer, 1, shape);
  }

  /** As {@link #wrap(DType, ByteBuffer, long...)}, of floats in the machine's byte order. */
  public static Tensor wrap(FloatBuffer buffer, long... shape) {
    if (buffer.order() != ByteOrder.nativeOrder()) {
      throw new IllegalArgumentException("the buffer's byte order is not the machine's");
    }
    return wrap(DType.F32, buffer, Float.BYTES, shape);
  }

  private static Tensor wrap(DType dtype, Buffer buffer, int width, long[] shape) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException("the buffer is not direct");
    }
    long offset = (long) buffer.position() * width;
    long bytes = (long) buffer.remaining() * width;
    return new Tensor(
        Native.tensorWrap(dtype.value(), shape, buffer, offset, bytes), buffer.isReadOnly());
  }

  /** Element type. */
  public DType dtype() {
    return Call.with(call -> DType.of(Native.tensorDtype(call.use(this))));
  }

  /** Sizes of the dimensions. */
  public long[] shape() {
    return Call.with(call -> Native.tensorDims(call.use(this)));
  }

  /** Size of the elements in bytes, scales and zero points not counted. */
  public long bytes() {
    return Call.with(call -> Native.tensorBytes(call.use(this)));
  }

  /**
   * The elements themselves, without a copy. The buffer and its views stay valid after close, which
   * then gives the memory back only when the garbage collector finds them gone; where that is too
   * late, {@link #toFloats} or bind tensors of your own buffers.
   */
  public synchronized ByteBuffer data() {
    long address = handle.hold();
    if (memory != null) {
      handle.drop();
    } else {
      try {
        memory = view(address);
      } catch (RuntimeException | Error e) {
        handle.drop();
        throw e;
      }
      CLEANER.register(memory, handle::drop);
    }
    ByteBuffer copy = readOnly ? memory.asReadOnlyBuffer() : memory.duplicate();
    return copy.order(ByteOrder.nativeOrder());
  }

  /** {@link #data} of a tensor of floats. */
  public FloatBuffer floats() {
    check(DType.F32);
    return data().asFloatBuffer();
  }

  /** A copy of the elements of a tensor of floats. */
  public float[] toFloats() {
    check(DType.F32);
    try (Call call = new Call()) {
      FloatBuffer from = view(call.use(this)).asFloatBuffer();
      float[] copy = new float[from.remaining()];
      from.get(copy);
      return copy;
    }
  }

  /** Scales and zero points, if this is a quantized tensor. */
  public Optional<QParams> qparams() {
    try (Call call = new Call()) {
      long params = Native.tensorQparams(call.use(this));
      return params == 0 ? Optional.empty() : Optional.of(QParams.read(params));
    }
  }

  /** The 8-bit tensor of a tensor of floats; it carries the parameters. */
  public Tensor quantize(QParams params) {
    return Call.with(call -> new Tensor(Native.tensorQuantize(call.use(this), call.use(params))));
  }

  /** The floats of a quantized tensor. */
  public Tensor dequantize() {
    return Call.with(call -> new Tensor(Native.tensorDequantize(call.use(this))));
  }

  /** Quantizes and dequantizes. */
  public Tensor fakeQuantize(QParams params) {
    return Call.with(
        call -> new Tensor(Native.tensorFakeQuantize(call.use(this), call.use(params))));
  }

  /** How far other is from this; quantized tensors count as the values they stand for. */
  public Difference compare(Tensor other) {
    try (Call call = new Call()) {
      double[] d = Native.tensorCompare(call.use(this), call.use(other));
      return new Difference(d[0], d[1], d[2], d[3], d[4], (long) d[5], (long) d[6]);
    }
  }

  /** Gives the tensor back; see {@link #data} about its memory. */
  @Override
  public void close() {
    synchronized (this) {
      memory = null;
    }
    super.close();
  }

  boolean isReadOnly() {
    return readOnly;
  }

  void checkWritable() {
    if (readOnly) {
      throw new IllegalArgumentException("a tensor of a read-only buffer cannot be an output");
    }
  }

  private void check(DType wanted) {
    DType found = dtype();
    if (found != wanted) {
      throw new IllegalStateException("the tensor is of type " + found + ", wanted " + wanted);
    }
  }

  /** Copies n values of four bytes. */
  private void fill(int n, Consumer<ByteBuffer> put) {
    try (Call call = new Call()) {
      ByteBuffer all = view(call.use(this));
      if (all.remaining() / 4 != n) {
        throw new IllegalArgumentException(n + " values, the shape has " + all.remaining() / 4);
      }
      put.accept(all);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private static ByteBuffer view(long address) {
    long bytes = Native.tensorBytes(address);
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalStateException(bytes + " bytes are more than a ByteBuffer can show");
    }
    ByteBuffer all = bytes == 0 ? ByteBuffer.allocateDirect(0) : Native.tensorBuffer(address);
    return all.order(ByteOrder.nativeOrder());
  }
}
