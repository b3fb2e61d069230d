#!/usr/bin/env python3
"""Calls everything with whatever comes to hand, thousands of times: errors are welcome, a crash is not. The seed is
fixed; test_misuse.py SEED tries another."""

import array
import faulthandler
import inspect
import os
import pathlib
import random
import sys
import tempfile
import unittest
import warnings

SEED = int(sys.argv.pop()) if len(sys.argv) > 1 else 1
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import overhead  # noqa: E402
from support import SANITIZED, numpy  # noqa: E402
import intmill  # noqa: E402

ODD = [None, True, 0, 1, -1, 2**31, 2**63, 2**64, -2**63, 1.5, float("nan"), "", "x", "\0", "\udcff", "y", b"", b"\0\xff",
       bytearray(b"12345678"), [], [1.0], [[1], [2, 3]], (), {}, {"x": 1}, {"threads": 1}, {"x": b"1234"}, object(), int,
       memoryview(b"abcd"), memoryview(bytearray(8)).cast("f"), array.array("f", [1]), array.array("d", [1]),
       lambda *a: False, *intmill.DType, *intmill.Side, *intmill.ReportKind, *list(intmill.Option)[:4]]
if numpy is not None:
    ODD += [numpy.zeros(1, "f4"), numpy.zeros((0, 2), "f4"), numpy.zeros(2, "i8"), numpy.float32(1), numpy.zeros(1, "M8[s]"),
            numpy.zeros(1, ">f4"), numpy.zeros(3, "f4")[::-1], numpy.array(["a"])]
# Calls that end the process, wait for ever or change it for the other tests, by intention.
LEFT_OUT = {"isa_limit", "feed_all"}


def sound():
    """One of each, in working order."""
    model = intmill.Model.load_memory(overhead.one_relu(), {"threads": 1})
    session = intmill.Session(model, {"threads": 1})
    x = intmill.Tensor(intmill.DType.F32, [1])
    q = intmill.QParams(intmill.DType.S8, [0.5])
    probe = intmill.Probe.calibrate(model)
    return [model, session, x, q, probe, intmill.Binding(session), intmill.Options(), model.report(), x.quantize(q)]


def arity(target, choose):
    """As many arguments as are taken, mostly."""
    try:
        parameters = [p for p in inspect.signature(target).parameters.values()
                      if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        return choose.randrange(3)
    needed = sum(p.default is p.empty for p in parameters)
    return choose.randint(needed, len(parameters)) if choose.random() < 0.95 else choose.randrange(5)


class Misuse(unittest.TestCase):
    def setUp(self):
        faulthandler.enable()
        warnings.simplefilter("ignore")  # NumPy's, about comparing odd things
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)  # something may be saved as "x"

    def test_anything_may_be_called_with_anything(self):
        choose = random.Random(SEED)
        things, calls, errors = sound(), 0, {}
        functions = [getattr(intmill, name) for name in intmill.__all__ if name not in LEFT_OUT]
        classes = [f for f in functions if inspect.isclass(f) and issubclass(f, intmill.Model.__mro__[1])]
        for _ in range(1000 if SANITIZED else 8000):
            if calls % 200 == 0:
                things = sound()
            if choose.random() < 0.2:
                target = choose.choice([f for f in functions if callable(f)])
            else:
                owner = choose.choice(things + classes)
                name = choose.choice([n for n in dir(owner) if not n.startswith("_") and n not in LEFT_OUT])
                try:
                    target = getattr(owner, name)
                except intmill.IntmillError:
                    continue
            arguments = [choose.choice(ODD + things) for _ in range(arity(target, choose))]
            calls += 1
            try:
                made = target(*arguments) if callable(target) else None
                if isinstance(made, intmill.Model.__mro__[1]):
                    things.append(made)
            except Exception as error:  # whatever it says, it says it
                errors[type(error).__name__] = errors.get(type(error).__name__, 0) + 1
        print(f"{calls} calls; {errors}")
        self.assertGreater(errors["IntmillError"], 0)
        self.assertLess(errors.get("SystemError", 0), 1)


if __name__ == "__main__":
    unittest.main()
