import io.github.intmill.Model;
import io.github.intmill.Option;
import io.github.intmill.Options;
import io.github.intmill.Probe;
import io.github.intmill.ReportKind;
import io.github.intmill.Tensor;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Dynamic quantization: 8-bit weights, and no calibration data. Activations get their range from
 * each input while the model runs. Arguments: the data folder.
 */
final class Sample02Dynamic {
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args.length > 0 ? args[0] : "samples/data");
    byte[] images = Fashion.read(folder.resolve("t10k-images-idx3-ubyte.gz"));
    Options dynamic = Options.NONE.with(Option.SCHEME, "dynamic");
    try (Model fp32 = Model.load(folder.resolve("fashion_cnn.onnx"));
        Model int8 = fp32.quantize(null, dynamic);
        Tensor fp32File = fp32.toTensor(Options.NONE);
        Tensor int8File = int8.toTensor(Options.NONE)) {
      System.out.println(
          fp32File.bytes() + " bytes in float, " + int8File.bytes() + " in 8 bits");
      try (Probe check = Probe.verify(fp32, int8, Options.NONE);
          Tensor x = Fashion.batch(images, 0, Fashion.count(images) / 500, 500)) {
        check.feed(x);
        System.out.println("outputs: " + check.report(ReportKind.OUTPUTS));
      }
    }
  }
}
