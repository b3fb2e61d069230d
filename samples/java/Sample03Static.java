import io.github.intmill.Model;
import io.github.intmill.Options;
import io.github.intmill.Probe;
import io.github.intmill.ReportKind;
import io.github.intmill.Result;
import io.github.intmill.Session;
import io.github.intmill.Tensor;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Static quantization from end to end: load, calibrate, quantize, verify, save, load, run.
 * Arguments: the data folder, and the file to write.
 */
final class Sample03Static {
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args.length > 0 ? args[0] : "samples/data");
    Path saved = Path.of(args.length > 1 ? args[1] : "fashion_cnn.im");
    byte[] calibration = Fashion.read(folder.resolve("calib2048-images-idx3-ubyte.gz"));
    byte[] images = Fashion.read(folder.resolve("t10k-images-idx3-ubyte.gz"));
    byte[] labels = Fashion.read(folder.resolve("t10k-labels-idx1-ubyte.gz"));
    try (Model fp32 = Model.load(folder.resolve("fashion_cnn.onnx"));
        Probe ranges = Probe.calibrate(fp32, Options.NONE)) {
      // Calibrate: run the float model on images that it may see, never on the test set.
      try (Tensor x = Fashion.batch(calibration, 0, Fashion.count(calibration) / 256, 256)) {
        ranges.feed(x);
      }
      try (Model int8 = fp32.quantize(ranges, Options.NONE);
          Probe check = Probe.verify(fp32, int8, Options.NONE)) {
        // Verify: both models on the same test images, with their labels.
        for (int first = 0; first < 1000; first += 100) {
          try (Tensor x = Fashion.batch(images, first, 1, 100);
              Tensor y = Fashion.labels(labels, first, 100)) {
            check.feed(new Tensor[] {x}, new Tensor[] {y});
          }
        }
        System.out.println(check.report(ReportKind.SUMMARY));
        int8.save(saved);
      }
    }
    // Load and run: this is all that the deployed program needs.
    try (Model loaded = Model.load(saved);
        Session session = new Session(loaded, Options.NONE);
        Tensor x = Fashion.batch(images, 900, 1, 1);
        Result result = session.run(x)) {
      float[] scores = result.get(0).toFloats();
      int best = 0;
      for (int i = 1; i < scores.length; ++i) {
        best = scores[i] > scores[best] ? i : best;
      }
      System.out.printf("test image 900 is of class %d, the model says %d%n", labels[900], best);
    }
  }
}
