package io.github.intmill;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/**
 * Settings for any operation; each reads the keys it knows. Immutable: {@code with} and {@code on}
 * answer a copy, so one may serve many threads. A wrong key or value is refused at once.
 *
 * <pre>{@code Options.NONE.with(Option.THREADS, 1).with("block3.*", Option.SKIP, 1)}</pre>
 */
public final class Options {
  /** Every key has its default. */
  public static final Options NONE = new Options(null, List.of(), null);

  private record Setting(String layer, Option key, Object value) {}

  private final String json;
  private final List<Setting> settings;
  final Listeners listeners;

  private Options(String json, List<Setting> settings, Listeners listeners) {
    this.json = json;
    this.settings = settings;
    this.listeners = listeners;
  }

  /** From {@code {"calibration": "entropy", "threads": 2, "layers": {"block3.*": {"skip": 1}}}}. */
  public static Options fromJson(String json) {
    return new Options(Objects.requireNonNull(json), List.of(), null).checked();
  }

  /** What was set, as JSON; listeners are not part of it. */
  public String toJson() {
    return Call.with(call -> Native.text(Native.optionsJson(call.use(this))));
  }

  /** Sets an integer. */
  public Options with(Option key, long value) {
    return with(null, key, value);
  }

  /** Sets a number. */
  public Options with(Option key, double value) {
    return with(null, key, value);
  }

  /** Sets a string, or an integer by the name of its value, such as "entropy". */
  public Options with(Option key, String value) {
    return with(null, key, value);
  }

  /**
   * Sets a key for the layers of a name or glob; a later setting counts more than an earlier one.
   *
   * @param layer a name, or a glob with * and ?; null: the whole model
   * @param value a Long or Integer, a Double or Float, or a String
   */
  public Options with(String layer, Option key, Object value) {
    Objects.requireNonNull(value);
    List<Setting> more = new ArrayList<>(settings);
    more.add(new Setting(layer, Objects.requireNonNull(key), value));
    return new Options(json, List.copyOf(more), listeners).checked();
  }

  /**
   * Hears of progress on the thread that called the operation; false stops it with CANCELLED, and
   * so does an exception, which becomes the cause.
   */
  public Options onProgress(Predicate<Progress> listener) {
    return new Options(
        json, settings, new Listeners(listener, listeners == null ? null : listeners.log));
  }

  /** Takes the log, line by line, on any thread: {@code onLog(System.getLogger("nn")::log)}. */
  public Options onLog(BiConsumer<System.Logger.Level, String> listener) {
    return new Options(
        json, settings, new Listeners(listeners == null ? null : listeners.progress, listener));
  }

  /** Every key there is: key, name, type, per_layer, values, default, help. */
  public static Report known() {
    return Report.take(Native.optionsKnown());
  }

  private Options checked() {
    Native.optionsRelease(create());
    return this;
  }

  /** A C bag with all this; the caller releases it. */
  long create() {
    long bag = json == null ? Native.optionsCreate() : Native.optionsFromJson(Native.utf8(json));
    try {
      for (Setting s : settings) {
        set(bag, Native.utf8(s.layer), s.key.value(), s.value);
      }
      if (listeners != null && listeners.progress != null) {
        Native.optionsOnProgress(bag, listeners.number);
      }
      if (listeners != null && listeners.log != null) {
        Native.optionsOnLog(bag, listeners.number);
      }
      return bag;
    } catch (RuntimeException e) {
      Native.optionsRelease(bag);
      throw e;
    }
  }

  private static void set(long bag, byte[] layer, int key, Object value) {
    if (value instanceof Long || value instanceof Integer) {
      Native.optionsSetI64(bag, layer, key, ((Number) value).longValue());
    } else if (value instanceof Number number) {
      Native.optionsSetF64(bag, layer, key, number.doubleValue());
    } else {
      Native.optionsSetStr(bag, layer, key, Native.utf8(value.toString()));
    }
  }
}
