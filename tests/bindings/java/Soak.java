import io.github.intmill.Binding;
import io.github.intmill.DType;
import io.github.intmill.Model;
import io.github.intmill.Option;
import io.github.intmill.Options;
import io.github.intmill.Session;
import io.github.intmill.Side;
import io.github.intmill.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What a bound run costs, and that nothing leaks. Arguments: a model of one input and output, the
 * number of runs; then, if wanted, the number of objects made and closed. Prints nanoseconds a run
 * and bytes that memory grew. Exit status 1 when it grew by 2 MB or more, or a descriptor stayed
 * open, in each of five rounds.
 */
final class Soak {
  private static final int ROUND = 1000;
  private static final Options ONE_THREAD = Options.NONE.with(Option.THREADS, 1);

  public static void main(String[] args) throws Exception {
    Path file = Path.of(args[0]);
    int runs = Integer.parseInt(args[1]);
    int cycles = args.length > 2 ? Integer.parseInt(args[2]) : 0;
    try (Model model = Model.load(file);
        Session session = new Session(model, ONE_THREAD);
        Binding binding = session.bind();
        Tensor x = Tensor.zeros(DType.F32, session.inputs().get(0).shape().get(0))) {
      binding.set(Side.INPUT, 0, x);
      run(binding, runs / 10);
      boolean leaks = true;
      for (int round = 0; round < 5 && leaks; ++round) { // the JIT compiler needs memory, too
        leaks = measure(file, binding, x, runs, cycles, round == 4);
      }
      System.exit(leaks ? 1 : 0);
    }
  }

  private static boolean measure(
      Path file, Binding binding, Tensor x, int runs, int cycles, boolean last)
      throws Exception {
    long files = openFiles();
    long before = residentBytes();
    double each = run(binding, runs);
    cycle(file, x, cycles);
    long grown = residentBytes() - before;
    boolean leaks = grown >= 2_000_000 || openFiles() != files;
    if (last || !leaks) {
      System.out.printf(Locale.ROOT, "{\"ns\": %.1f, \"grown\": %d}%n", each, grown);
    }
    return leaks;
  }

  /** The median of a run over each thousand of them, so that it does not tell how busy the machine is. */
  private static double run(Binding binding, int n) {
    double[] each = new double[n / ROUND];
    for (int round = 0; round < each.length; ++round) {
      long started = System.nanoTime();
      for (int i = 0; i < ROUND; ++i) {
        binding.run();
      }
      each[round] = (double) (System.nanoTime() - started) / ROUND;
    }
    Arrays.sort(each);
    return each[each.length / 2];
  }

  private static void cycle(Path file, Tensor x, int n) {
    for (int i = 0; i < n; ++i) {
      try (Model model = Model.load(file, ONE_THREAD);
          Session session = new Session(model, ONE_THREAD);
          Binding binding = session.bind();
          Tensor y = Tensor.zeros(DType.F32, x.shape())) {
        binding.set(Side.INPUT, 0, x);
        binding.set(Side.OUTPUT, 0, y);
        binding.run();
        session.run(x).close();
      }
    }
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }

  private static long residentBytes() throws InterruptedException, IOException {
    System.gc();
    Thread.sleep(100);
    String line =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(each -> each.startsWith("VmRSS:"))
            .findFirst()
            .orElseThrow();
    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
  }
}
