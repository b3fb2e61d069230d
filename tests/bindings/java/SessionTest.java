package io.github.intmill;

import static io.github.intmill.Fixtures.ONE_THREAD;
import static io.github.intmill.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SessionTest {
  private final Model fp32 = Fixtures.sample();
  private final Model model = Fixtures.quantized(fp32);
  private final Session session = new Session(model, ONE_THREAD);

  @AfterEach
  void close() {
    session.close();
    model.close();
    fp32.close();
  }

  private float[] scores(int rows) {
    try (Tensor x = Fixtures.images(rows);
        Result result = session.run(x)) {
      return result.get(0).toFloats();
    }
  }

  @Test
  void runsByPlaceByNameAndInPlace() {
    String input = session.inputs().get(0).name();
    String output = session.outputs().get(0).name();
    try (Tensor x = Fixtures.images(3);
        Tensor y = Tensor.zeros(DType.F32, 3, 10);
        Result named = session.run(Map.of(input, x))) {
      assertArrayEquals(scores(3), named.get(output).toFloats());
      assertThrows(IllegalArgumentException.class, () -> named.get("no such output"));
      session.run(new Tensor[] {x}, new Tensor[] {y});
      assertArrayEquals(scores(3), y.toFloats());
      refused(Status.INVALID_ARGUMENT, "wrong", () -> session.run(Map.of("wrong", x)));
    }
  }

  @Test
  void saysWhatIsWrongWithInputs() {
    try (Tensor flat = Tensor.zeros(DType.F32, 784);
        Tensor integers = Tensor.zeros(DType.S32, 1, 1, 28, 28)) {
      refused(Status.SHAPE, "found 784", () -> session.run(flat));
      refused(Status.SHAPE, "s32", () -> session.run(integers));
      refused(Status.INVALID_ARGUMENT, "inputs", () -> session.run(flat, flat));
      assertThrows(NullPointerException.class, () -> session.run((Tensor) null));
    }
  }

  @Test
  void bindsTensorsOfTheCaller() {
    try (Binding binding = session.bind();
        Tensor x = Fixtures.images(2);
        Tensor y = Tensor.zeros(DType.F32, 2, 10)) {
      refused(Status.STATE, "", binding::run);
      binding.set(Side.INPUT, 0, x);
      binding.set(Side.OUTPUT, 0, y);
      binding.run();
      assertArrayEquals(scores(2), y.toFloats());
      binding.set(Side.OUTPUT, 0, null);
      binding.run();
      try (Tensor made = binding.get(Side.OUTPUT, 0)) {
        assertArrayEquals(scores(2), made.toFloats());
      }
      refused(Status.INVALID_ARGUMENT, "", () -> binding.set(Side.INPUT, 1, x));
      refused(Status.INVALID_ARGUMENT, "", () -> binding.set(Side.INPUT, 0, null));
      refused(Status.SHAPE, "", () -> binding.set(Side.INPUT, 0, y));
    }
  }

  @Test
  void measuresItsLayersAndMemory() {
    Options profiling = ONE_THREAD.with(Option.PROFILE, 1);
    try (Session measured = new Session(model, profiling);
        Tensor x = Fixtures.images(1)) {
      measured.run(x).close();
      measured.run(x).close();
      Report profile = measured.report(ReportKind.PROFILE);
      assertEquals(2, profile.number(0, "calls"));
      assertTrue(measured.report(ReportKind.MEMORY).rows() > 0);
      refused(Status.STATE, "PROFILE", () -> session.report(ReportKind.PROFILE));
    }
  }

  @Test
  void answersEightThreadsWithTheSameBits() throws Exception {
    float[][] alone = IntStream.range(1, 5).mapToObj(this::scores).toArray(float[][]::new);
    Callable<Void> worker =
        () -> {
          for (int i = 0; i < 100; ++i) {
            assertArrayEquals(alone[i % 4], scores(i % 4 + 1));
          }
          return null;
        };
    ExecutorService pool = Executors.newFixedThreadPool(8);
    try {
      List<Callable<Void>> workers = Stream.generate(() -> worker).limit(8).toList();
      for (Future<Void> done : pool.invokeAll(workers)) {
        done.get();
      }
    } finally {
      pool.shutdown();
    }
  }
}
