import io.github.intmill.Binding;
import io.github.intmill.Model;
import io.github.intmill.Option;
import io.github.intmill.Options;
import io.github.intmill.Session;
import io.github.intmill.Side;
import io.github.intmill.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/**
 * Serving: many threads run one session. Each has its own binding and buffers, so that a request
 * allocates nothing. Arguments: the data folder.
 */
final class Sample04Serve {
  private static final int THREADS = 4;
  private static final int REQUESTS = 500;

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args.length > 0 ? args[0] : "samples/data");
    byte[] images = Fashion.read(folder.resolve("t10k-images-idx3-ubyte.gz"));
    Options options = Options.NONE.with(Option.THREADS, 1); // the server has threads
    try (Model model = Model.load(folder.resolve("fashion_cnn.onnx"));
        Session session = new Session(model, options)) {
      Callable<float[]> worker = () -> serve(session, images);
      var workers = Collections.nCopies(THREADS, worker);
      var answers = Executors.newFixedThreadPool(THREADS).invokeAll(workers);
      float[] alone = worker.call();
      int differing = 0;
      for (var answer : answers) {
        differing += Arrays.equals(alone, answer.get()) ? 0 : 1;
      }
      System.out.println(THREADS + " threads answered; " + differing + " differ from a single one");
      System.exit(differing); // which ends the pool, too
    }
  }

  /** Answers requests of one image each, on the calling thread. */
  private static float[] serve(Session session, byte[] images) {
    FloatBuffer pixels = Fashion.direct(Fashion.PIXELS);
    FloatBuffer scores = Fashion.direct(10);
    float[] all = new float[REQUESTS * 10];
    try (Binding binding = session.bind();
        Tensor x = Tensor.wrap(pixels, 1, 1, 28, 28);
        Tensor y = Tensor.wrap(scores, 1, 10)) {
      binding.set(Side.INPUT, 0, x);
      binding.set(Side.OUTPUT, 0, y);
      for (int i = 0; i < REQUESTS; ++i) {
        Fashion.fill(pixels.rewind(), images, i);
        binding.run();
        scores.get(0, all, i * 10, 10);
      }
    }
    return all;
  }
}
