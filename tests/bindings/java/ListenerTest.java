package io.github.intmill;

import static io.github.intmill.Fixtures.ONE_THREAD;
import static io.github.intmill.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenerTest {
  @Test
  void hearsOfProgressOnTheCallingThread() {
    List<Progress> heard = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    Options options =
        ONE_THREAD.onProgress(
            now -> {
              threads.add(Thread.currentThread());
              return heard.add(now);
            });
    Model.load(Fixtures.SAMPLE, options).close();
    assertTrue(heard.size() > 0);
    assertTrue(threads.stream().allMatch(Thread.currentThread()::equals));
    assertTrue(heard.stream().allMatch(p -> !p.stage().isEmpty() && p.done() >= 0));
  }

  @Test
  void stopsAnOperation(@TempDir Path folder) throws IOException {
    Options impatient = ONE_THREAD.onProgress(now -> false);
    refused(Status.CANCELLED, "stopped", () -> Model.load(Fixtures.SAMPLE, impatient));
    try (Model model = Fixtures.sample();
        Tensor x = Fixtures.images(1);
        Probe ranges = Probe.calibrate(model, Options.NONE)) {
      ranges.feed(x);
      refused(Status.CANCELLED, "", () -> model.quantize(ranges, impatient));
      refused(Status.CANCELLED, "", () -> model.save(folder.resolve("m.im"), impatient));
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void isTheCauseWhenItThrows() {
    IllegalStateException thrown = new IllegalStateException("no more");
    Options options =
        ONE_THREAD.onProgress(
            now -> {
              throw thrown;
            });
    IntmillException e =
        refused(Status.CANCELLED, "stopped", () -> Model.load(Fixtures.SAMPLE, options));
    assertSame(thrown, e.getCause());
    // Not of the next failure.
    e = refused(Status.IO, "", () -> Model.load(Path.of("no such file")));
    assertEquals(null, e.getCause());
  }

  @Test
  void livesAsLongAsWhatWasMadeWithIt() throws InterruptedException {
    AtomicInteger calls = new AtomicInteger();
    Options options = ONE_THREAD.onProgress(now -> calls.incrementAndGet() > 0);
    WeakReference<Listeners> weak = new WeakReference<>(options.listeners);
    try (Model model = Fixtures.sample()) {
      Session session = new Session(model, options);
      options = null;
      System.gc();
      System.gc();
      calls.set(0);
      try (Tensor x = Fixtures.images(3)) {
        session.run(x).close(); // the first run of this shape compiles
      }
      assertTrue(calls.get() > 0);
      session.close();
      session = null;
    }
    Fixtures.awaitCollected(weak);
  }

  @Test
  void takesTheLogAndMayThrow() {
    ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();
    Options options =
        ONE_THREAD.onLog(
            (level, line) -> {
              assertTrue(level.compareTo(System.Logger.Level.OFF) < 0);
              lines.add(line);
            });
    try (Model model = Model.load(Fixtures.SAMPLE, options)) {
      new Session(model, options).close();
    }
    assertTrue(lines.stream().noneMatch(line -> line.contains("\n")));
  }

  @Test
  void hearsWhatTheShimHandsOver() {
    List<String> heard = new ArrayList<>();
    Options options =
        ONE_THREAD.onLog((level, line) -> heard.add(level + " " + line)).onProgress(now -> true);
    Native.log(options.listeners.number, 0, "a".getBytes());
    Native.log(options.listeners.number, 4, "b".getBytes());
    Native.log(Long.MAX_VALUE, 4, "nobody hears this".getBytes());
    assertEquals(List.of("ERROR a", "TRACE b"), heard);
    assertTrue(Native.progress(Long.MAX_VALUE, "x".getBytes(), 0, 0));
  }
}
