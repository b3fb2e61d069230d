package io.github.intmill;

/** The library as a whole. */
public final class Intmill {
  private Intmill() {}

  /** Version of the loaded library: major * 10000 + minor * 100 + patch. */
  public static int version() {
    return Native.version();
  }

  /** One line for a bug report: version, compiler, oneDNN. */
  public static String buildInfo() {
    return Native.text(Native.buildInfo());
  }

  /** The best instruction set of this processor that the kernels know. */
  public static Isa isaDetected() {
    return Isa.of(Native.isaDetected());
  }

  /** Limits the instruction sets used by this process; before the first session only. */
  public static void isaLimit(Isa highest) {
    Native.isaLimit(highest.value());
  }

  /** What decides whether models run fast here: key, value, note. */
  public static Report doctor() {
    return Report.take(Native.doctor());
  }
}
