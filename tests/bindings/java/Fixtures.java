package io.github.intmill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.function.Executable;

/** What the tests share: the sample model, batches for it, and expected refusals. */
final class Fixtures {
  static final Path REPOSITORY = Path.of(System.getenv().getOrDefault("INTMILL_REPOSITORY", "."));
  static final Path SAMPLE = REPOSITORY.resolve("samples/data/fashion_cnn.onnx");
  static final Options ONE_THREAD = Options.NONE.with(Option.THREADS, 1);

  private Fixtures() {}

  /** Slanted waves, each picture of another length. */
  static float[] pixels(int rows) {
    float[] pixels = new float[rows * 784];
    for (int i = 0; i < pixels.length; ++i) {
      int row = i % 784 / 28;
      pixels[i] = (row * (i / 784 + 1) + i % 28 * 3) % 29 / 28f;
    }
    return pixels;
  }

  static Tensor images(int rows) {
    return Tensor.of(pixels(rows), rows, 1, 28, 28);
  }

  static Model sample() {
    return Model.load(SAMPLE);
  }

  static Model quantized(Model fp32) {
    try (Tensor x = images(4);
        Probe ranges = Probe.calibrate(fp32, Options.NONE, List.<Tensor[]>of(new Tensor[] {x}))) {
      return fp32.quantize(ranges, Options.NONE);
    }
  }

  static IntmillException refused(Status wanted, String part, Executable call) {
    IntmillException e = assertThrows(IntmillException.class, call);
    assertEquals(wanted, e.status(), e.getMessage());
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    return e;
  }

  /** Collects garbage until an object is gone, or fails. */
  static void awaitCollected(WeakReference<?> gone) throws InterruptedException {
    for (int i = 0; i < 200 && gone.get() != null; ++i) {
      System.gc();
      Thread.sleep(5);
    }
    assertEquals(null, gone.get());
  }
}
