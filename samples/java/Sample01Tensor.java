import io.github.intmill.DType;
import io.github.intmill.Difference;
import io.github.intmill.Options;
import io.github.intmill.QParams;
import io.github.intmill.Tensor;
import java.util.Locale;
import java.util.Random;

/** Quantizes one tensor to 8 bits and back, and says what that costs and saves. */
final class Sample01Tensor {
  public static void main(String[] args) {
    Random random = new Random(1);
    float[] normal = new float[64 * 64];
    for (int i = 0; i < normal.length; ++i) {
      normal[i] = (float) random.nextGaussian();
    }
    try (Tensor x = Tensor.of(normal, 64, 64)) {
      // Scale 0.01 and zero point 0 hold -1.28 to 1.27: most of the error is what lies outside.
      show("fixed", x, QParams.of(DType.S8, 0.01f, 0));
      // Then let the library choose from the data.
      show("chosen", x, QParams.choose(x, -1, Options.NONE));
    }
  }

  private static void show(String name, Tensor x, QParams params) {
    try (Tensor q = x.quantize(params);
        Tensor back = q.dequantize()) {
      Difference difference = x.compare(back);
      System.out.printf(
          Locale.ROOT,
          "%-6s scale %.6f, zero point %4d: mean absolute error %.6f, memory ratio %.2fx%n",
          name,
          params.scales()[0],
          params.zeroPoints()[0],
          difference.meanAbs(),
          (double) x.bytes() / q.bytes());
    }
  }
}
