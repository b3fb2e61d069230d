package io.github.intmill;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** A model compiled for this machine. Many threads may run one session at the same time. */
public final class Session extends NativeObject {
  private final List<Port> inputs;
  private final List<Port> outputs;

  /** Compiles a model; where input sizes are open, the first run with new ones does the work. */
  public Session(Model model, Options options) {
    super("Session", create(model, options), Native::sessionRelease, options.listeners);
    inputs = model.inputs();
    outputs = model.outputs();
  }

  private static long create(Model model, Options options) {
    return Call.with(call -> Native.sessionCreate(call.use(model), call.use(options)));
  }

  /** What goes in. */
  public List<Port> inputs() {
    return inputs;
  }

  /** What comes out. */
  public List<Port> outputs() {
    return outputs;
  }

  /** Runs the model once: a tensor for each input, in the model's order. */
  public Result run(Tensor... in) {
    long[] out = new long[outputs.size()];
    run(in, out);
    return new Result(outputs, LongStream.of(out).mapToObj(Tensor::new).toList());
  }

  /** Runs the model once, with inputs by name. */
  public Result run(Map<String, Tensor> in) {
    Tensor[] ordered = inputs.stream().map(port -> in.get(port.name())).toArray(Tensor[]::new);
    int missing = Arrays.asList(ordered).indexOf(null);
    if (missing >= 0 || in.size() != ordered.length) {
      throw new IntmillException(
          Status.INVALID_ARGUMENT,
          "inputs are " + in.keySet() + ", wanted " + inputs.stream().map(Port::name).toList());
    }
    return run(ordered);
  }

  /** Runs the model once, and writes the outputs into these tensors, in the model's order. */
  public void run(Tensor[] in, Tensor[] out) {
    try (Call call = new Call()) {
      for (Tensor t : out) {
        t.checkWritable();
      }
      run(in, call.useAll(out));
    }
  }

  private void run(Tensor[] in, long[] out) {
    try (Call call = new Call()) {
      Native.sessionRun(call.use(this), call.useAll(in), out);
    }
  }

  /** A run state with buffers of its own: for each thread one, to run without allocating. */
  public Binding bind() {
    return Call.with(call -> new Binding(Native.bindingCreate(call.use(this)), handle.listeners));
  }

  /**
   * Writes the model and what it was compiled to, as an .ims file: loading that, and a session of
   * it, are many times faster on the same kind of machine.
   */
  public void save(Path path) {
    try (Call call = new Call()) {
      Native.sessionSave(call.use(this), Native.utf8(path.toString()));
    }
  }

  /** PROFILE (when made with that option) or MEMORY. */
  public Report report(ReportKind kind) {
    return Call.with(call -> Report.take(Native.sessionReport(call.use(this), kind.value())));
  }
}
