"""A small writer of ONNX files, and a network under construction. Standard library only: the few
protobuf messages that ONNX needs are written by hand."""

import array
import math
import random
import struct

FLOAT, INT64 = 1, 7  # TensorProto.DataType
IR_VERSION, OPSET = 8, 17
BLOCK = 65537  # a prime, so that no row of a weight repeats another


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
    if isinstance(value, str):
        return out + blob(4, value) + integer(20, 3)
    return out + b"".join(integer(8, v) for v in value) + integer(20, 7)


def tensor(name, kind, dims, content):
    return b"".join(integer(1, d) for d in dims) + integer(2, kind) + blob(8, name) + blob(9, content)


def value_info(name, dims):
    shape = b"".join(blob(1, integer(1, d)) for d in dims)
    return blob(1, name) + blob(2, blob(1, integer(1, FLOAT) + blob(2, shape)))


class Network:
    """Builds one ONNX graph, layer by layer; every method returns the name of what it computes."""

    def __init__(self, name, seed):
        self.name, self.nodes, self.weights, self.constants, self.count = name, [], [], set(), 0
        self.random = random.Random(seed)
        # Drawing 86 million numbers one by one takes minutes; pieces of one block do as well.
        self.normal = array.array("f", (self.random.gauss(0, 1) for _ in range(BLOCK)))
        self.scaled = {}

    def node(self, op, *inputs, **attributes):
        self.count += 1
        output = f"{op.lower()}_{self.count}"
        fields = b"".join(blob(1, i) for i in inputs) + blob(2, output) + blob(3, output) + blob(4, op)
        self.nodes.append(fields + b"".join(blob(5, attribute(k, v)) for k, v in attributes.items()))
        return output

    def weight(self, name, dims, scale, mean=0.0):
        """Normally distributed; each weight begins elsewhere in the block, so no two are alike."""
        n = math.prod(dims)
        if (scale, mean) not in self.scaled:
            self.scaled[scale, mean] = array.array("f", [mean + v * scale for v in self.normal])
        begin = self.random.randrange(BLOCK)
        values = self.scaled[scale, mean] * ((begin + n) // BLOCK + 1)
        self.weights.append(tensor(name, FLOAT, dims, memoryview(values)[begin:begin + n].tobytes()))
        return name

    def constant(self, name, values):
        """A vector of floats or of integers, or one float; made once for each name."""
        if name not in self.constants:
            self.constants.add(name)
            if isinstance(values, float):
                self.weights.append(tensor(name, FLOAT, [], struct.pack("<f", values)))
            else:
                kind, code = (FLOAT, "f") if isinstance(values[0], float) else (INT64, "q")
                content = array.array(code, values).tobytes()
                self.weights.append(tensor(name, kind, [len(values)], content))
        return name

    def conv(self, x, cin, cout, k, stride=1, groups=1, gain=1.0, pad=None):
        name = f"conv_{self.count + 1}"
        scale = gain * math.sqrt(2.0 / (cin // groups * k * k))  # He
        w = self.weight(name + ".weight", [cout, cin // groups, k, k], scale)
        b = self.weight(name + ".bias", [cout], 0.05)
        return self.node("Conv", x, w, b, kernel_shape=[k, k], strides=[stride, stride],
                         pads=[k // 2 if pad is None else pad] * 4, group=groups)

    def relu(self, x):
        return self.node("Relu", x)

    def silu(self, x):
        return self.node("Mul", x, self.node("Sigmoid", x))

    def add(self, a, b):
        return self.node("Add", a, b)

    def reshape(self, x, *dims):
        return self.node("Reshape", x, self.constant("shape." + "x".join(map(str, dims)), dims))

    def classifier(self, x, channels, classes):
        x = self.node("Flatten", self.node("GlobalAveragePool", x), axis=1)
        w = self.weight("fc.weight", [classes, channels], math.sqrt(1.0 / channels))
        b = self.weight("fc.bias", [classes], 0.01)
        return self.node("Gemm", x, w, b, transB=1)

    def write(self, path, inputs, outputs):
        """inputs and outputs: names and sizes."""
        graph = [blob(1, n) for n in self.nodes] + [blob(2, self.name)]
        graph += [blob(5, w) for w in self.weights]
        graph += [blob(11, value_info(*port)) for port in inputs.items()]
        graph += [blob(12, value_info(*port)) for port in outputs.items()]
        model = integer(1, IR_VERSION) + blob(2, "intmill make_models.py")
        opset = blob(8, blob(1, "") + integer(2, OPSET))
        size = sum(map(len, graph))
        with open(path, "wb") as file:
            file.write(model + opset + varint(7 << 3 | 2) + varint(size))
            file.writelines(graph)
