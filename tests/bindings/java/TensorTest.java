package io.github.intmill;

import static io.github.intmill.Fixtures.awaitCollected;
import static io.github.intmill.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class TensorTest {
  private static FloatBuffer direct(int n) {
    return ByteBuffer.allocateDirect(n * 4).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  @Test
  void holdsACopyOfAnArray() {
    float[] values = {1, 2, 3, 4, 5, 6};
    try (Tensor t = Tensor.of(values, 2, 3)) {
      values[0] = 9;
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, t.toFloats());
      assertArrayEquals(new long[] {2, 3}, t.shape());
      assertEquals(DType.F32, t.dtype());
      assertEquals(24, t.bytes());
    }
  }

  @Test
  void withoutSizesIsOneValue() {
    try (Tensor t = Tensor.of(new int[] {7})) {
      assertEquals(0, t.shape().length);
      assertEquals(7, t.data().getInt(0));
    }
  }

  @Test
  void mayBeEmpty() {
    try (Tensor t = Tensor.zeros(DType.F32, 0, 3)) {
      assertEquals(0, t.toFloats().length);
      assertEquals(0, t.data().capacity());
    }
  }

  @Test
  void refusesShapesAndValuesThatDoNotFit() {
    refused(Status.INVALID_ARGUMENT, "-1", () -> Tensor.zeros(DType.F32, -1, 3));
    refused(Status.INVALID_ARGUMENT, "rank", () -> Tensor.zeros(DType.F32, new long[13]));
    assertThrows(IllegalArgumentException.class, () -> Tensor.of(new float[5], 2, 3));
  }

  @Test
  void sharesADirectBuffer() {
    FloatBuffer buffer = direct(4);
    try (Tensor t = Tensor.wrap(buffer.slice(1, 3), 3)) {
      buffer.put(2, 5f);
      assertArrayEquals(new float[] {0, 5, 0}, t.toFloats());
      t.floats().put(0, 7f);
      assertEquals(7f, buffer.get(1));
    }
  }

  @Test
  void wrapsFromPositionToLimit() {
    FloatBuffer buffer = direct(8).put(3, 5f).position(3).limit(5);
    try (Tensor t = Tensor.wrap(buffer, 2)) {
      assertArrayEquals(new float[] {5, 0}, t.toFloats());
    }
    refused(Status.INVALID_ARGUMENT, "bytes", () -> Tensor.wrap(buffer, 3));
  }

  @Test
  void refusesBuffersThatTheLibraryCannotUse() {
    assertThrows(IllegalArgumentException.class, () -> Tensor.wrap(FloatBuffer.allocate(3), 3));
    ByteOrder foreign =
        ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN
            ? ByteOrder.LITTLE_ENDIAN
            : ByteOrder.BIG_ENDIAN;
    FloatBuffer swapped = ByteBuffer.allocateDirect(12).order(foreign).asFloatBuffer();
    assertThrows(IllegalArgumentException.class, () -> Tensor.wrap(swapped, 3));
    ByteBuffer odd = ByteBuffer.allocateDirect(16).position(1).limit(13);
    refused(Status.INVALID_ARGUMENT, "align", () -> Tensor.wrap(DType.F32, odd, 3));
  }

  @Test
  void ofAReadOnlyBufferIsNoOutputAndShowsNoMore() {
    FloatBuffer readOnly = direct(10).asReadOnlyBuffer();
    try (Model model = Fixtures.sample();
        Session session = new Session(model, Fixtures.ONE_THREAD);
        Binding binding = session.bind();
        Tensor x = Fixtures.images(1);
        Tensor t = Tensor.wrap(readOnly, 1, 10)) {
      assertTrue(t.data().isReadOnly());
      assertThrows(IllegalArgumentException.class, () -> binding.set(Side.OUTPUT, 0, t));
      assertThrows(
          IllegalArgumentException.class,
          () -> session.run(new Tensor[] {x}, new Tensor[] {t}));
    }
  }

  @Test
  void aBoundReadOnlyInputStaysReadOnly() {
    ByteBuffer pixels = ByteBuffer.allocateDirect(784 * 4).asReadOnlyBuffer();
    try (Model model = Fixtures.sample();
        Session session = new Session(model, Fixtures.ONE_THREAD);
        Binding binding = session.bind();
        Tensor x = Tensor.wrap(DType.F32, pixels, 1, 1, 28, 28)) {
      binding.set(Side.INPUT, 0, x);
      binding.run();
      try (Tensor again = binding.get(Side.INPUT, 0)) {
        assertTrue(again.data().isReadOnly());
      }
    }
  }

  @Test
  void dataOutlivesTheTensor() {
    Tensor t = Tensor.of(new float[] {1, 2, 3}, 3);
    FloatBuffer view = t.floats().slice();
    t.close();
    System.gc();
    assertEquals(3f, view.get(2));
    view.put(2, 4f);
    assertEquals(4f, view.get(2));
  }

  @Test
  void keepsAWrappedBufferAliveAndLetsItGo() throws InterruptedException {
    FloatBuffer buffer = direct(3);
    WeakReference<FloatBuffer> weak = new WeakReference<>(buffer);
    Tensor t = Tensor.wrap(buffer, 3);
    buffer = null;
    System.gc();
    System.gc();
    assertTrue(weak.get() != null);
    t.close();
    awaitCollected(weak);
  }

  @Test
  void quantizesAsTheFormulaSays() {
    QParams params = QParams.of(DType.S8, 0.5f, 10);
    try (Tensor x = Tensor.of(new float[] {0.24f, 0.75f, 1.25f, -100f}, 4);
        Tensor q = x.quantize(params);
        Tensor back = q.dequantize();
        Tensor fake = x.fakeQuantize(params)) {
      ByteBuffer data = q.data();
      assertArrayEquals(
          new int[] {10, 12, 12, -128},
          new int[] {data.get(0), data.get(1), data.get(2), data.get(3)});
      assertArrayEquals(new float[] {0, 1, 1, -69}, back.toFloats());
      assertArrayEquals(back.toFloats(), fake.toFloats());
      assertEquals(0.5f, q.qparams().orElseThrow().scales()[0]);
      assertTrue(x.qparams().isEmpty());
      assertEquals(31, x.compare(q).maxAbs(), 1e-6);
      refused(Status.INVALID_ARGUMENT, "", x::dequantize);
    }
  }

  @Test
  void choosesParametersForAnAxis() {
    try (Tensor x = Tensor.of(new float[] {1, 2, 4, 8}, 2, 2)) {
      QParams chosen = QParams.choose(x, 0, Options.NONE);
      assertEquals(0, chosen.axis());
      assertEquals(2, chosen.scales().length);
      assertEquals(8 / 127f, chosen.scales()[1], 1e-6);
      refused(Status.INVALID_ARGUMENT, "axis", () -> QParams.choose(x, 2, Options.NONE));
    }
  }

  @Test
  void afterCloseEveryUseIsRefused() {
    Tensor t = Tensor.zeros(DType.F32, 3);
    t.close();
    t.close();
    assertThrows(IllegalStateException.class, t::dtype);
    assertThrows(IllegalStateException.class, t::shape);
    assertThrows(IllegalStateException.class, t::data);
    assertThrows(IllegalStateException.class, t::toFloats);
    assertThrows(IllegalStateException.class, () -> t.compare(t));
  }
}
