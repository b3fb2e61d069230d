#!/usr/bin/env python3
"""What a call through a binding costs beyond C: overhead.py [--runs N] [--most US] C_PROGRAM -- COMMAND...

Each is run as COMMAND MODEL RUNS, in turn, five times, with a model of one Relu over one number; the medians count.
Exit status 1: a run costs more than US microseconds beyond C, or the runs of one process added 2 MiB of memory."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile


def field(number, data):
    """A field of a protocol buffer: a number, or bytes that are shorter than 128."""
    if isinstance(data, int):
        return bytes([number << 3, data])
    return bytes([number << 3 | 2, len(data)]) + data


def one_relu():
    """An ONNX file: y = Relu(x), both of one float."""
    def port(name):
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, field(1, field(1, 1)))))

    node = field(1, b"x") + field(2, b"y") + field(3, b"relu") + field(4, b"Relu")
    graph = field(1, node) + field(2, b"g") + field(11, port(b"x")) + field(12, port(b"y"))
    return field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 17))


def measure(command, model, runs):
    done = subprocess.run([*command, model, str(runs)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command}: exit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--runs", type=int, default=1000000)
    parser.add_argument("--most", type=float, default=3.0)
    parser.add_argument("program")
    options, command = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1:]
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "relu.onnx"
        model.write_bytes(one_relu())
        pairs = [(measure([options.program], model, options.runs), measure(command, model, options.runs))
                 for _ in range(5)]
    c, other = (statistics.median(run["ns"] for run in column) / 1000 for column in zip(*pairs))
    grown = max(run["grown"] for _, run in pairs)
    print(f"{pathlib.Path(command[-1]).name}: {other:.2f} us a run, C {c:.2f} us: {other - c:.2f} us beyond C; "
          f"{grown} bytes more after {options.runs} runs")
    return 1 if other - c > options.most or grown > 2 << 20 else 0


if __name__ == "__main__":
    sys.exit(main())
