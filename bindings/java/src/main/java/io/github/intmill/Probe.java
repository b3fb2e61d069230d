package io.github.intmill;

import java.nio.file.Path;

/**
 * Watches models run on your data: make one, feed it batches, read its report. A calibrating probe
 * may be fed by many threads at once; otherwise one thread at a time, which this class sees to.
 */
public final class Probe extends NativeObject {
  private final boolean takesTurns;

  private Probe(long address, Options options, boolean takesTurns) {
    super("Probe", address, Native::probeRelease, options.listeners);
    this.takesTurns = takesTurns;
  }

  /** Learns the ranges of a float model's activations. The order of batches does not matter. */
  public static Probe calibrate(Model model, Options options) {
    long probe =
        Call.with(call -> Native.probeCalibrate(call.use(model), call.use(options)));
    return new Probe(probe, options, false);
  }

  /** As {@link #calibrate(Model, Options)}, and feeds it. */
  public static Probe calibrate(Model model, Options options, Iterable<Tensor[]> batches) {
    return calibrate(model, options).feedAll(batches);
  }

  /** Runs two models on the same data and compares their outputs. */
  public static Probe verify(Model reference, Model candidate, Options options) {
    long probe =
        Call.with(
            call ->
                Native.probeVerify(call.use(reference), call.use(candidate), call.use(options)));
    return new Probe(probe, options, true);
  }

  /** As {@link #verify}, and layer by layer, for {@link Model#certify}. */
  public static Probe certify(Model reference, Model candidate, Options options) {
    long probe =
        Call.with(
            call ->
                Native.probeCertify(call.use(reference), call.use(candidate), call.use(options)));
    return new Probe(probe, options, true);
  }

  /** Measures again what a model's certificate says, on the same data; its report is REPLAY. */
  public static Probe replay(Model model, Options options) {
    long probe = Call.with(call -> Native.probeReplay(call.use(model), call.use(options)));
    return new Probe(probe, options, true);
  }

  /** Ranks layers by what quantizing each alone costs. */
  public static Probe sensitivity(Model model, Probe calibration, Options options) {
    long probe =
        Call.with(
            call ->
                Native.probeSensitivity(
                    call.use(model), call.use(calibration), call.use(options)));
    return new Probe(probe, options, true);
  }

  /** Learns how to round weights; for {@link Model#quantize}, in place of the calibration. */
  public static Probe rounding(Model model, Probe calibration, Options options) {
    long probe =
        Call.with(
            call ->
                Native.probeRounding(call.use(model), call.use(calibration), call.use(options)));
    return new Probe(probe, options, true);
  }

  /** A calibrating probe from the file that {@link #save} wrote. It cannot be fed. */
  public static Probe load(Path path, Options options) {
    long probe =
        Call.with(call -> Native.probeLoad(Native.utf8(path.toString()), call.use(options)));
    return new Probe(probe, options, false);
  }

  /** Writes what a calibrating probe saw, whole or not at all. */
  public void save(Path path, Options options) {
    try (Call call = new Call()) {
      Native.probeSave(call.use(this), Native.utf8(path.toString()), call.use(options));
    }
  }

  /** Adds what another calibrating probe of the same model saw. */
  public void merge(Probe other) {
    try (Call call = new Call()) {
      Native.probeMerge(call.use(this), call.use(other));
    }
  }

  /** Runs the models on one batch: a tensor for each input, in the model's order. */
  public void feed(Tensor... inputs) {
    feed(inputs, new Tensor[0]);
  }

  /** As {@link #feed}, and says to a verifying probe which class of each row is right. */
  public void feed(Tensor[] inputs, Tensor[] targets) {
    if (takesTurns) {
      synchronized (this) {
        feedNow(inputs, targets);
      }
    } else {
      feedNow(inputs, targets);
    }
  }

  private void feedNow(Tensor[] inputs, Tensor[] targets) {
    try (Call call = new Call()) {
      Native.probeFeed(call.use(this), call.useAll(inputs), call.useAll(targets));
    }
  }

  /**
   * Feeds one batch after another. Tensors stay the caller's, so that an iterator may fill the same
   * ones again.
   */
  public Probe feedAll(Iterable<Tensor[]> batches) {
    batches.forEach(this::feed);
    return this;
  }

  /**
   * RANGES or HISTOGRAMS of a calibrating probe, SUMMARY or OUTPUTS of a verifying or certifying
   * one, SUMMARY or SENSITIVITY of one that ranks layers, REPLAY of one that replays.
   */
  public synchronized Report report(ReportKind kind) {
    return Call.with(call -> Report.take(Native.probeReport(call.use(this), kind.value())));
  }
}
