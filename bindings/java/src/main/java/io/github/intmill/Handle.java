package io.github.intmill;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

/**
 * One reference to a C object. Its owner holds it once, and each call under way once more, so that
 * closing an object while another thread uses it takes effect when that use ends.
 */
final class Handle implements Runnable {
  private static final int CLOSED = Integer.MIN_VALUE; // the sign; the rest counts the holders

  private final String what;
  private final long address;
  private final LongConsumer release;
  final Object listeners; // what the C object may call back
  private final AtomicInteger holders = new AtomicInteger(1);

  Handle(String what, long address, LongConsumer release, Object listeners) {
    this.what = what;
    this.address = address;
    this.release = release;
    this.listeners = listeners;
  }

  /** The address, valid until {@link #drop}. */
  long hold() {
    for (; ; ) {
      int n = holders.get();
      if (n < 0) {
        throw new IllegalStateException(what + " is closed");
      }
      if (holders.compareAndSet(n, n + 1)) {
        return address;
      }
    }
  }

  void drop() {
    if ((holders.decrementAndGet() & ~CLOSED) == 0) {
      release.accept(address);
    }
  }

  /** Closes; called once, by a Cleaner. */
  @Override
  public void run() {
    holders.getAndUpdate(n -> n | CLOSED);
    drop();
  }
}
