#!/usr/bin/env python3
"""What a run with bound buffers costs in Python, and that nothing leaks; as overhead.c."""

import os
import sys
import time

from intmill import Binding, Model, Session, Tensor


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def create():
    """A model, a session, a tensor and their binding, which has run once."""
    model = Model.load(sys.argv[1], {"threads": 1})
    session = Session(model, {"threads": 1})
    binding, x = Binding(session), Tensor(model.inputs[0].dtype, model.inputs[0].shape)
    binding.set_input(0, x)
    binding.run()
    return binding, x, session, model


def cycle(times):
    for _ in range(times):
        for made in create():
            made.close()


runs, cycles = int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
binding = create()[0]
for _ in range(runs // 10):
    binding.run()
cycle(cycles // 10)
files, before, start = len(os.listdir("/proc/self/fd")), resident(), time.perf_counter_ns()
for _ in range(runs):
    binding.run()
spent = time.perf_counter_ns() - start
cycle(cycles)
grown = resident() - before
print(f'{{"ns": {spent / runs:.1f}, "grown": {grown}}}')
sys.exit(grown >= 2000000 or len(os.listdir("/proc/self/fd")) != files)
