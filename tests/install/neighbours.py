#!/usr/bin/env python3
"""intmill in one process with other libraries that bring OpenMP, oneDNN or protobuf: imports them in every order, runs
a model with intmill and with each of the others, and wants the same answers in all orders. Neighbours that are not
installed are left out and named; exit status 77 when none is there."""

import importlib.util
import itertools
import pathlib
import subprocess
import sys

MODEL = pathlib.Path(__file__).resolve().parents[2] / "samples/data/fashion_cnn.onnx"
NEIGHBOURS = ("onnx", "onnxruntime", "torch")
PROGRAM = '''
import hashlib, importlib, os, sys, tempfile
import numpy as np
model, *order = sys.argv[1:]
modules = {name: importlib.import_module(name) for name in order}
x = np.random.default_rng(7).random((2, 1, 28, 28), dtype=np.float32)

def intmill():
    lib = modules["intmill"]
    fp32 = lib.InferenceSession(model, threads=2).run(None, {"image": x})[0]
    with tempfile.TemporaryDirectory() as folder:
        lib.quantize_static(model, f"{folder}/model.im", [{"image": x}])
        int8 = lib.InferenceSession(f"{folder}/model.im", threads=2).run(None, {"image": x})[0]
    return np.asarray(fp32), np.asarray(int8)

def onnxruntime():
    lib = modules["onnxruntime"]
    return lib.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"image": x})[0]

def onnx():
    lib = modules["onnx"]
    lib.checker.check_model(lib.load(model))

def torch():
    lib = modules["torch"]
    lib.set_num_threads(2)
    a = lib.nn.functional.conv2d(lib.from_numpy(x), lib.ones(4, 1, 3, 3))
    assert float(a.sum()) > 0
    y = modules["intmill"].Tensor.from_dlpack(a.contiguous())
    assert np.array_equal(np.asarray(y), a.numpy())

fp32, int8 = intmill()
for name in order:  # and intmill once more behind each neighbour
    if name == "onnxruntime":
        assert np.allclose(onnxruntime(), fp32, atol=1e-4), "ONNX Runtime answers differently"
    elif name != "intmill":
        locals()[name]()
    again = intmill()
    assert all(np.array_equal(a, b) for a, b in zip((fp32, int8), again)), f"other bits behind {name}"
child = os.fork()  # and in a child of such a process
if child == 0:
    os._exit(0 if np.array_equal(intmill()[1], int8) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "other bits in a child"
print(hashlib.sha256(fp32.tobytes() + int8.tobytes()).hexdigest())
'''


def main():
    there = [name for name in NEIGHBOURS if importlib.util.find_spec(name)]
    missing = [name for name in NEIGHBOURS if name not in there]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    if not there or not importlib.util.find_spec("numpy"):
        sys.exit(77)
    answers = set()
    orders = list(itertools.permutations(["intmill", *there]))
    for order in orders:
        done = subprocess.run([sys.executable, "-c", PROGRAM, MODEL, *order], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            sys.exit(f"imported as {', '.join(order)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        answers.add(done.stdout.split()[-1])
    print(f"neighbours: {len(orders)} orders of intmill, {', '.join(there)}: {len(answers)} different answers")
    return 0 if len(answers) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
