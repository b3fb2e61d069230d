package io.github.intmill;

import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/**
 * The listeners of some options. C knows them by a number, and asks here for those still alive: an
 * object made with the options keeps them so.
 */
final class Listeners {
  private static final System.Logger.Level[] LEVELS = {
    System.Logger.Level.ERROR, System.Logger.Level.WARNING, System.Logger.Level.INFO,
    System.Logger.Level.DEBUG, System.Logger.Level.TRACE
  };
  private static final Map<Long, WeakReference<Listeners>> ALIVE = new ConcurrentHashMap<>();
  private static final AtomicLong LAST = new AtomicLong();
  private static final ThreadLocal<Throwable> THROWN = new ThreadLocal<>();

  final Predicate<Progress> progress;
  final BiConsumer<System.Logger.Level, String> log;
  final long number = LAST.incrementAndGet();

  Listeners(Predicate<Progress> progress, BiConsumer<System.Logger.Level, String> log) {
    this.progress = progress;
    this.log = log;
    long key = number;
    ALIVE.put(key, new WeakReference<>(this));
    NativeObject.CLEANER.register(this, () -> ALIVE.remove(key));
  }

  private static Listeners find(long number) {
    WeakReference<Listeners> found = ALIVE.get(number);
    return found == null ? null : found.get();
  }

  static boolean progress(long number, Progress now) {
    Listeners listeners = find(number);
    THROWN.remove(); // of an operation that ended all the same
    try {
      return listeners == null || listeners.progress.test(now);
    } catch (Throwable t) {
      THROWN.set(t);
      return false;
    }
  }

  static void log(long number, int level, String message) {
    Listeners listeners = find(number);
    try {
      if (listeners != null) {
        listeners.log.accept(LEVELS[Math.max(0, Math.min(level, LEVELS.length - 1))], message);
      }
    } catch (Throwable t) { // must not reach C; the thread may be nobody's
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, t);
    }
  }

  /** What a listener threw is the cause of the operation's failure. */
  static IntmillException explain(IntmillException failure) {
    Throwable thrown = THROWN.get();
    THROWN.remove();
    if (thrown != null && failure.status() == Status.CANCELLED) {
      failure.initCause(thrown);
    }
    return failure;
  }
}
