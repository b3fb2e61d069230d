package io.github.intmill;

import java.util.BitSet;

/**
 * One thread's run state: from the second run with the same tensors on, nothing is allocated. Make
 * one for each thread; threads that share one take turns.
 */
public final class Binding extends NativeObject {
  private final BitSet readOnlyInputs = new BitSet(); // what get() answers must stay so

  Binding(long address, Object listeners) {
    super("Binding", address, Native::bindingRelease, listeners);
  }

  /**
   * Names the tensor for a port; it stays until another takes its place, and may be written between
   * runs.
   *
   * @param tensor null, for an output: the binding makes one, as it does from the start
   */
  public synchronized void set(Side side, int index, Tensor tensor) {
    if (tensor != null && side == Side.OUTPUT) {
      tensor.checkWritable();
    }
    try (Call call = new Call()) {
      long t = tensor == null ? 0 : call.use(tensor);
      Native.bindingSet(call.use(this), side.value(), index, t);
    }
    if (side == Side.INPUT) {
      readOnlyInputs.set(index, tensor.isReadOnly());
    }
  }

  /** The tensor of a port: what was set, or the output that the last run made. */
  public synchronized Tensor get(Side side, int index) {
    try (Call call = new Call()) {
      long tensor = Native.bindingGet(call.use(this), side.value(), index);
      return new Tensor(tensor, side == Side.INPUT && readOnlyInputs.get(index));
    }
  }

  /** Runs the model on the bound tensors. */
  public synchronized void run() {
    long b = handle.hold(); // without a Call, which would be the only thing to allocate
    try {
      Native.bindingRun(b);
    } finally {
      handle.drop();
    }
  }
}
