"""Writes small ONNX files without the onnx package: a chain of nodes over one float input."""

import struct


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def message(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name, dims, values):
    return (b"".join(number(1, d) for d in dims) + number(2, 1) + message(8, name) +
            message(9, struct.pack(f"<{len(values)}f", *values)))


def port(name, dims):
    """A dimension that is a string is free."""
    shape = b"".join(message(1, message(2, d) if isinstance(d, str) else number(1, d))
                     for d in dims)
    return message(1, name) + message(2, message(1, number(1, 1) + message(2, shape)))


def node(op, inputs, output, name):
    return (b"".join(message(1, i) for i in inputs) + message(2, output) + message(3, name) +
            message(4, op))


class Chain:
    """x -> node -> node -> ...; each layer's weights are given as lists."""

    def __init__(self, name, dims):
        self.graph = message(2, "chain") + message(11, port(name, dims))
        self.last = name

    def add(self, op, name, **constants):
        inputs = [self.last]
        for key, (dims, values) in constants.items():
            inputs.append(f"{name}.{key}")
            self.graph += message(5, tensor(inputs[-1], dims, values))
        self.last = f"{name}.out"
        self.graph += message(1, node(op, inputs, self.last, name))
        return self

    def write(self, path, dims):
        graph = self.graph + message(12, port(self.last, dims))
        path.write_bytes(number(1, 8) + message(8, message(1, "") + number(2, 13)) +
                         message(7, graph))
        return path
