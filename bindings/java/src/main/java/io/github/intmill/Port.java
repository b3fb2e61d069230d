package io.github.intmill;

import java.util.List;

/**
 * An input or output of a model.
 *
 * @param name never empty, unique on its side
 * @param dtype the element type that a tensor for it must have
 * @param shape its sizes, -1 where one is decided when the model runs; null when even their number
 *     is
 */
public record Port(String name, DType dtype, List<Long> shape) {}
