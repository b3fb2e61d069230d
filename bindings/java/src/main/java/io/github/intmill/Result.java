package io.github.intmill;

import java.util.AbstractList;
import java.util.List;

/** The outputs of one run, in the model's order; closing it closes them. */
public final class Result extends AbstractList<Tensor> implements AutoCloseable {
  private final List<Port> ports;
  private final List<Tensor> tensors;

  Result(List<Port> ports, List<Tensor> tensors) {
    this.ports = ports;
    this.tensors = tensors;
  }

  /** Number of outputs. */
  @Override
  public int size() {
    return tensors.size();
  }

  /** An output by its place. */
  @Override
  public Tensor get(int index) {
    return tensors.get(index);
  }

  /** An output by its name. */
  public Tensor get(String name) {
    for (int i = 0; i < ports.size(); ++i) {
      if (ports.get(i).name().equals(name)) {
        return tensors.get(i);
      }
    }
    throw new IllegalArgumentException("no output " + name + " among " + ports);
  }

  @Override
  public void close() {
    tensors.forEach(Tensor::close);
  }
}
