package io.github.intmill;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongConsumer;

/** Holds what one call uses until it returns. */
final class Call implements AutoCloseable {
  private final List<Handle> held = new ArrayList<>(4);

  static <R> R with(Function<Call, R> body) {
    try (Call call = new Call()) {
      return body.apply(call);
    }
  }

  long use(NativeObject object) {
    long address = object.handle.hold();
    held.add(object.handle);
    return address;
  }

  long[] useAll(Tensor[] tensors) {
    long[] addresses = new long[tensors.length];
    for (int i = 0; i < tensors.length; ++i) {
      addresses[i] = use(tensors[i]);
    }
    return addresses;
  }

  long use(Options options) {
    return own(options.create(), Native::optionsRelease, options.listeners);
  }

  long use(QParams params) {
    return own(params.create(), Native::qparamsRelease, null);
  }

  /** A C object that is released with this call; what it may call back lives as long. */
  long own(long address, LongConsumer release, Object listeners) {
    held.add(new Handle("", address, release, listeners));
    return address;
  }

  @Override
  public void close() {
    held.forEach(Handle::drop);
  }
}
