import io.github.intmill.DType;
import io.github.intmill.Tensor;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Fashion-MNIST's files as tensors: what the samples share. */
final class Fashion {
  static final int PIXELS = 28 * 28;

  private Fashion() {}

  /** The bytes of an IDX file behind its header of one or three sizes. */
  static byte[] read(Path file) throws IOException {
    try (var in = new DataInputStream(new GZIPInputStream(Files.newInputStream(file)))) {
      int dimensions = in.readInt() & 0xff;
      in.skipNBytes(4L * dimensions);
      return in.readAllBytes();
    }
  }

  static int count(byte[] images) {
    return images.length / PIXELS;
  }

  /** A batch of n images, every step-th from first on, as pixel / 255. */
  static Tensor batch(byte[] images, int first, int step, int n) {
    Tensor x = Tensor.zeros(DType.F32, n, 1, 28, 28);
    for (int i = 0; i < n; ++i) {
      fill(x.floats().position(i * PIXELS), images, first + i * step);
    }
    return x;
  }

  static void fill(FloatBuffer to, byte[] images, int index) {
    for (int p = 0; p < PIXELS; ++p) {
      to.put((images[index * PIXELS + p] & 0xff) / 255f);
    }
  }

  /** A buffer that a tensor can share. */
  static FloatBuffer direct(int n) {
    return ByteBuffer.allocateDirect(n * 4).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  static Tensor labels(byte[] labels, int first, int n) {
    int[] classes = new int[n];
    for (int i = 0; i < n; ++i) {
      classes[i] = labels[first + i];
    }
    return Tensor.of(classes, n);
  }
}
