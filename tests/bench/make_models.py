#!/usr/bin/env python3
"""Writes well-known networks as FP32 ONNX files with seeded random weights, for benchmarks.

Usage: make_models.py FOLDER [resnet50] [mobilenetv2]      (default: all)

The weights mean nothing, the shapes are the real ones. Standard library only: the few protobuf
messages that ONNX needs are written by hand.
"""
import array
import math
import pathlib
import random
import struct
import sys


# --- protobuf: a field is (number << 3 | wire type), then a varint or a length and bytes.
def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field, value):
    return varint(field << 3) + varint(value)


def blob(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def attribute(name, value):
    out = blob(1, name)
    if isinstance(value, float):
        return out + varint(2 << 3 | 5) + struct.pack("<f", value) + integer(20, 1)
    if isinstance(value, int):
        return out + integer(3, value) + integer(20, 2)
    return out + b"".join(integer(8, v) for v in value) + integer(20, 7)


def value_info(name, dims):
    shape = b"".join(blob(1, integer(1, d)) for d in dims)
    return blob(1, name) + blob(2, blob(1, integer(1, 1) + blob(2, shape)))


class Network:
    """Builds one ONNX graph, layer by layer; every method returns the name of what it computes."""

    def __init__(self, name, seed):
        self.name, self.nodes, self.weights, self.count = name, [], [], 0
        generator = random.Random(seed)
        # Drawing 25 million numbers one by one takes a minute; a repeated prime-sized block does as well.
        self.normal = array.array("f", (generator.gauss(0, 1) for _ in range(65537)))

    def node(self, op, inputs, **attributes):
        self.count += 1
        output = f"{op.lower()}_{self.count}"
        fields = b"".join(blob(1, i) for i in inputs) + blob(2, output) + blob(3, output) + blob(4, op)
        self.nodes.append(fields + b"".join(blob(5, attribute(k, v)) for k, v in attributes.items()))
        return output

    def weight(self, name, dims, scale):
        n = math.prod(dims)
        values = array.array("f", [v * scale for v in self.normal]) * (n // len(self.normal) + 1)
        fields = b"".join(integer(1, d) for d in dims) + integer(2, 1) + blob(8, name)
        self.weights.append(fields + blob(9, values[:n].tobytes()))
        return name

    def conv(self, x, cin, cout, k, stride=1, groups=1, gain=1.0):
        name = f"conv_{self.count + 1}"
        scale = gain * math.sqrt(2.0 / (cin // groups * k * k))
        w = self.weight(name + ".weight", [cout, cin // groups, k, k], scale)
        b = self.weight(name + ".bias", [cout], 0.05)
        return self.node("Conv", [x, w, b], kernel_shape=[k, k], strides=[stride, stride],
                         pads=[k // 2] * 4, group=groups)

    def relu(self, x):
        return self.node("Relu", [x])

    def classifier(self, x, channels, classes):
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x])], axis=1)
        w = self.weight("fc.weight", [classes, channels], math.sqrt(1.0 / channels))
        b = self.weight("fc.bias", [classes], 0.01)
        return self.node("Gemm", [x, w, b], transB=1)

    def write(self, path, input_dims, output, output_dims):
        graph = b"".join(blob(1, n) for n in self.nodes) + blob(2, self.name)
        graph += b"".join(blob(5, w) for w in self.weights)
        graph += blob(11, value_info("image", input_dims)) + blob(12, value_info(output, output_dims))
        model = integer(1, 8) + blob(2, "intmill make_models.py") + blob(7, graph)
        path.write_bytes(model + blob(8, blob(1, "") + integer(2, 17)))


def resnet50(path):
    net = Network("resnet50", 50)
    x = net.relu(net.conv("image", 3, 64, 7, 2))
    x = net.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    cin = 64
    for stage, blocks in enumerate([3, 4, 6, 3]):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = net.conv(x, cin, width * 4, 1, stride, gain=0.7) if block == 0 else x
            y = net.relu(net.conv(x, cin, width, 1))
            y = net.relu(net.conv(y, width, width, 3, stride))
            x = net.relu(net.node("Add", [net.conv(y, width, width * 4, 1, gain=0.3), shortcut]))
            cin = width * 4
    net.write(path, [1, 3, 224, 224], net.classifier(x, cin, 1000), [1, 1000])


def mobilenetv2(path):
    net = Network("mobilenetv2", 2)

    def relu6(x):
        low, high = "relu6.min", "relu6.max"
        return net.node("Clip", [x, low, high])

    for name, value in (("relu6.min", 0.0), ("relu6.max", 6.0)):
        net.weights.append(integer(2, 1) + blob(8, name) + blob(9, struct.pack("<f", value)))
    x = relu6(net.conv("image", 3, 32, 3, 2))
    cin = 32
    for expand, cout, repeats, first_stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                                (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            hidden = cin * expand
            y = relu6(net.conv(x, cin, hidden, 1)) if expand > 1 else x
            y = relu6(net.conv(y, hidden, hidden, 3, stride, groups=hidden))
            y = net.conv(y, hidden, cout, 1, gain=0.7)
            x = net.node("Add", [x, y]) if stride == 1 and cin == cout else y
            cin = cout
    x = relu6(net.conv(x, cin, 1280, 1))
    net.write(path, [1, 3, 224, 224], net.classifier(x, 1280, 1000), [1, 1000])


MODELS = {"resnet50": resnet50, "mobilenetv2": mobilenetv2}


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 2
    folder = pathlib.Path(arguments[0])
    wanted = arguments[1:] or list(MODELS)
    unknown = [name for name in wanted if name not in MODELS]
    if unknown:
        print(f"make_models.py: no model '{unknown[0]}', wanted one of {', '.join(MODELS)}", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        MODELS[name](folder / f"{name}.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
