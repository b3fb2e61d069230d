#!/usr/bin/env python3
"""Whether an exported 8-bit model means in ONNX Runtime what it means here, layer by layer.

agreement.py [--onnxruntime LIB] PROGRAM ORT_VALUES MODEL.im INPUTS.npz: exports the model and runs it once in ONNX
Runtime, as the file says and without optimizations. Then every layer, which is all that lies between one quantized
value and the next, gets the inputs that it had there, in intmill and in ONNX Runtime with and without optimizations.
The farthest of its outputs may be one step apart: a step of its scale, or of the model's float outputs a 255th of
their range. Exit status: 1 where one is farther.

Layers, and not whole models: a number in the middle of two steps rounds either way, and behind it each layer
spreads that further, in ONNX Runtime with its optimizations against itself without them as well.

INPUTS.npz has an array for each input, with one sample. Needs python3-onnx and numpy.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import TensorProto, helper

TYPES = {numpy.dtype(numpy.float32): TensorProto.FLOAT, numpy.dtype(numpy.uint8): TensorProto.UINT8,
         numpy.dtype(numpy.int8): TensorProto.INT8, numpy.dtype(numpy.int32): TensorProto.INT32,
         numpy.dtype(numpy.int64): TensorProto.INT64}
DTYPES = {code: dtype for dtype, code in TYPES.items()}


class OnnxRuntime:
    def __init__(self, ort_values, library, folder):
        self.command, self.folder = [ort_values, library], folder

    def run(self, model, inputs, outputs, plain):
        path = self.folder / "model.onnx"
        onnx.save(model, path)
        words = ["plain"] if plain else []
        for i, (name, array) in enumerate(inputs.items()):
            numpy.ascontiguousarray(array).tofile(self.folder / f"in{i}")
            words.append(f"in {name} {TYPES[array.dtype]} {self.folder}/in{i} " + " ".join(map(str, array.shape)))
        words += [f"out {name} {self.folder}/out{i}" for i, name in enumerate(outputs)]
        done = subprocess.run([*self.command, path], input="\n".join(words), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr.strip())
        found = {}
        for i, line in enumerate(done.stdout.splitlines()):
            name, code, *dims = line.split()
            array = numpy.fromfile(self.folder / f"out{i}", DTYPES[int(code)])
            found[name] = array.reshape([int(d) for d in dims])
        return found


class Exported:
    """An ONNX file with its quantized values, and the layers between them."""

    def __init__(self, path):
        self.model = onnx.load(path)
        graph = self.model.graph
        self.constants = {c.name: c for c in graph.initializer}
        self.producer = {name: node for node in graph.node for name in node.output}
        self.quantized = {node.output[0]: self.constants[node.input[2]].data_type for node in graph.node
                          if node.op_type == "QuantizeLinear" and node.input[0] not in self.constants}
        self.outputs = [output.name for output in graph.output]

    def with_quantized_outputs(self):
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        del model.graph.output[:]
        model.graph.output.extend(helper.make_tensor_value_info(name, code, None)
                                  for name, code in self.quantized.items())
        return model

    def layer(self, target, values):
        """The nodes that make `target` out of known values, and the names of those."""
        needed, seen, nodes, todo = set(), set(), set(), [target]
        while todo:
            name = todo.pop()
            if name in seen or name in self.constants or not name:
                continue
            seen.add(name)
            if name != target and name in values:
                needed.add(name)
                continue
            nodes.add(id(self.producer[name]))
            todo.extend(self.producer[name].input)
        return [node for node in self.model.graph.node if id(node) in nodes], sorted(needed)

    def model_of(self, nodes, target, inputs):
        """Each input has one more dimension in front: a single sample, whatever its shape."""
        ports, ends, constants = [], [], []
        for name, array in inputs.items():
            ports.append(helper.make_tensor_value_info(f"{name}.sample", TYPES[array.dtype], [1, *array.shape]))
            constants.append(helper.make_tensor(f"{name}.shape", TensorProto.INT64, [array.ndim], array.shape))
            ends.append(helper.make_node("Reshape", [f"{name}.sample", f"{name}.shape"], [name]))
        constants.append(helper.make_tensor("all", TensorProto.INT64, [2], [1, -1]))
        last = helper.make_node("Reshape", [target, "all"], ["layer"])
        used = {name for node in nodes for name in node.input}
        constants += [c for name, c in self.constants.items() if name in used]
        out = helper.make_tensor_value_info("layer", self.quantized.get(target, TensorProto.FLOAT), None)
        graph = helper.make_graph([*ends, *nodes, last], "layer", ports, [out], constants)
        return helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)


def run_here(program, model, inputs, folder):
    path, data, out = folder / "layer.onnx", folder / "in.npz", folder / "out.npz"
    onnx.save(model, path)
    numpy.savez(data, **inputs)
    out.unlink(missing_ok=True)
    done = subprocess.run([program, "run", path, "--data", data, "-o", out, "--quiet"], capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return numpy.load(out)["layer"]


def compare(given, folder):
    path = folder / "exported.onnx"
    subprocess.run([given.program, "export", given.model, "-o", path], check=True, stdout=subprocess.DEVNULL)
    exported, runtime = Exported(path), OnnxRuntime(given.ort_values, given.onnxruntime, folder)
    values = dict(numpy.load(given.inputs))
    values |= runtime.run(exported.with_quantized_outputs(), values, exported.quantized, plain=True)
    apart = {"intmill, plain": [], "intmill, optimized": [], "optimized, plain": []}
    for target in [*exported.quantized, *exported.outputs]:
        nodes, needed = exported.layer(target, values)
        inputs = {f"{name}.sample": values[name][None] for name in needed}
        model = exported.model_of(nodes, target, {name: values[name] for name in needed})
        plain, optimized = (runtime.run(model, inputs, ["layer"], p)["layer"].astype(float) for p in (True, False))
        here = run_here(given.program, model, inputs, folder).astype(float)
        step = 1 if target in exported.quantized else numpy.ptp(plain) / 255 or 1
        for (name, all_of_it), (a, b) in zip(apart.items(), ((here, plain), (here, optimized), (optimized, plain))):
            all_of_it.append(numpy.abs(a - b).ravel() / step)
    return apart


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnxruntime", metavar="LIB", default="", help="default: libonnxruntime.so.1")
    parser.add_argument("program")
    parser.add_argument("ort_values")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("inputs", type=pathlib.Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="intmill-agreement-") as folder:
        apart = compare(given, pathlib.Path(folder))
    agrees = True
    for name, layers in apart.items():
        every = numpy.concatenate(layers)
        if name.startswith("intmill"):
            agrees = agrees and bool((every <= 1).all())  # which no NaN is
        print(f"{given.model.name}  {name:18}  {len(layers)} layers, {every.size:,} values: the farthest "
              f"{every.max():.2f} steps apart, {(every > 0.5).mean() * 1e6:.1f} of a million by one", flush=True)
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
