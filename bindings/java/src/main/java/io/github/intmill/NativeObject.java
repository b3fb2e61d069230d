package io.github.intmill;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;

/**
 * What owns memory of the library. Close it when done, best with try-with-resources; one that was
 * forgotten is closed some time after it became unreachable. Objects may be closed in any order,
 * since each keeps alive what it needs, and more than once. Using a closed object throws
 * IllegalStateException.
 */
public abstract class NativeObject implements AutoCloseable {
  static final Cleaner CLEANER = Cleaner.create();

  final Handle handle;
  private final Cleaner.Cleanable cleanable;

  NativeObject(String what, long address, LongConsumer release, Object listeners) {
    handle = new Handle(what, address, release, listeners);
    cleanable = CLEANER.register(this, handle);
  }

  /** Gives the object back; calls that other threads are making with it end first. */
  @Override
  public void close() {
    cleanable.clean();
  }
}
