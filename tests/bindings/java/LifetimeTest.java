package io.github.intmill;

import static io.github.intmill.Fixtures.ONE_THREAD;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LifetimeTest {
  @Test
  void objectsCloseInAnyOrder() {
    for (int seed = 0; seed < 20; ++seed) {
      Model fp32 = Fixtures.sample();
      Model int8 = Fixtures.quantized(fp32);
      Session session = new Session(int8, ONE_THREAD);
      Binding binding = session.bind();
      Tensor x = Fixtures.images(2);
      binding.set(Side.INPUT, 0, x);
      binding.run();
      Tensor y = binding.get(Side.OUTPUT, 0);
      float[] before = y.toFloats();
      List<NativeObject> objects = new ArrayList<>(List.of(fp32, int8, session, x));
      Collections.shuffle(objects, new Random(seed));
      objects.forEach(NativeObject::close);
      binding.run(); // it keeps what it needs
      assertArrayEquals(before, y.toFloats());
      binding.close();
      assertArrayEquals(before, y.toFloats());
      y.close();
    }
  }

  @Test
  void everyClosedObjectRefuses() {
    Model model = Fixtures.sample();
    Probe probe = Probe.calibrate(model, Options.NONE);
    Session session = new Session(model, ONE_THREAD);
    Binding binding = session.bind();
    Tensor x = Fixtures.images(1);
    List.of(model, probe, session, binding, x).forEach(NativeObject::close);
    List.of(model, probe, session, binding, x).forEach(NativeObject::close);
    IllegalStateException e = assertThrows(IllegalStateException.class, model::inputs);
    assertEquals("Model is closed", e.getMessage());
    assertThrows(IllegalStateException.class, () -> new Session(model, ONE_THREAD));
    assertThrows(IllegalStateException.class, () -> model.quantize(probe, Options.NONE));
    assertThrows(IllegalStateException.class, () -> probe.feed(x));
    assertThrows(IllegalStateException.class, () -> session.run(x));
    assertThrows(IllegalStateException.class, session::bind);
    assertThrows(IllegalStateException.class, () -> binding.set(Side.INPUT, 0, x));
    assertThrows(IllegalStateException.class, binding::run);
  }

  @Test
  void aFailedCallLeavesNothingHeld() {
    try (Model model = Fixtures.sample();
        Session session = new Session(model, ONE_THREAD);
        Tensor good = Fixtures.images(1)) {
      Tensor closed = Fixtures.images(1);
      closed.close();
      assertThrows(IllegalStateException.class, () -> session.run(good, closed));
      good.close();
      assertThrows(IllegalStateException.class, good::dtype);
    }
  }

  @Test
  void noCallBeginsAfterCloseThoughOneIsUnderWay() {
    Model model = Fixtures.sample();
    AtomicInteger refused = new AtomicInteger();
    Options closing =
        ONE_THREAD.onProgress(
            now -> {
              model.close();
              assertThrows(IllegalStateException.class, model::inputs);
              return refused.incrementAndGet() > 0;
            });
    try (Tensor x = Fixtures.images(1);
        Probe ranges = Probe.calibrate(model, Options.NONE)) {
      ranges.feed(x);
      try (Model int8 = model.quantize(ranges, closing)) {
        assertTrue(refused.get() > 0);
        assertEquals(1, int8.inputs().size());
      }
    }
  }

  @Test
  void closingWaitsForCallsUnderWay() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try (Model model = Fixtures.sample()) {
      for (int round = 0; round < 50; ++round) {
        Session session = new Session(model, ONE_THREAD);
        Tensor x = Fixtures.images(1);
        CountDownLatch running = new CountDownLatch(4);
        List<Future<Integer>> workers = new ArrayList<>();
        for (int i = 0; i < 4; ++i) {
          workers.add(pool.submit(() -> runUntilClosed(session, x, running)));
        }
        running.await();
        (round % 2 == 0 ? session : x).close();
        for (Future<Integer> worker : workers) {
          assertTrue(worker.get(30, TimeUnit.SECONDS) > 0);
        }
        session.close();
        x.close();
      }
    } finally {
      pool.shutdown();
    }
  }

  private static int runUntilClosed(Session session, Tensor x, CountDownLatch running) {
    for (int runs = 1; ; ++runs) {
      try (Result result = session.run(x)) {
        assertEquals(10, result.get(0).toFloats().length);
      } catch (IllegalStateException closed) {
        running.countDown(); // whoever never got to run
        return runs;
      }
      running.countDown();
    }
  }

  @Test
  void whatIsForgottenIsGivenBack() throws InterruptedException {
    Handle[] handles = new Handle[100];
    for (int i = 0; i < handles.length; ++i) {
      handles[i] = Fixtures.images(1).handle;
    }
    Model model = Fixtures.sample();
    WeakReference<Model> weak = new WeakReference<>(model);
    model = null;
    Fixtures.awaitCollected(weak);
    for (int i = 0; i < 200 && isOpen(handles); ++i) {
      System.gc();
      Thread.sleep(5);
    }
    assertTrue(!isOpen(handles));
  }

  private static boolean isOpen(Handle[] handles) {
    for (Handle handle : handles) {
      try {
        handle.hold();
        handle.drop();
        return true;
      } catch (IllegalStateException closed) {
        continue;
      }
    }
    return false;
  }
}
