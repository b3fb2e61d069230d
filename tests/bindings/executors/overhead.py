#!/usr/bin/env python3
"""What a run with bound buffers costs in Python, and that nothing leaks; as overhead.c."""

import os
import statistics
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


def measure(binding, rounds):
    """Runs that often a thousand times; the median of a run, in nanoseconds."""
    each = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(1000):
            binding.run()
        each.append((time.perf_counter_ns() - start) / 1000)
    return statistics.median(each)


rounds, cycles = int(sys.argv[2]) // 1000, int(sys.argv[3]) if len(sys.argv) > 3 else 0
binding = create()[0]
measure(binding, rounds // 10)
cycle(cycles // 10)
files, before = len(os.listdir("/proc/self/fd")), resident()
spent = measure(binding, rounds)
cycle(cycles)
grown = resident() - before
print(f'{{"ns": {spent:.1f}, "grown": {grown}}}')
sys.exit(grown >= 2000000 or len(os.listdir("/proc/self/fd")) != files)
