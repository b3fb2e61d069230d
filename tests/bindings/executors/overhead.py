#!/usr/bin/env python3
"""What a run with bound buffers costs in Python; as overhead.c."""

import os
import sys
import time

from intmill import Binding, DType, Model, Session, Tensor


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


runs = int(sys.argv[2])
binding = Binding(Session(Model.load(sys.argv[1], {"threads": 1}), {"threads": 1}))
binding.set_input(0, Tensor(DType.F32, [1]))
for _ in range(runs // 10):
    binding.run()
before, start = resident(), time.perf_counter_ns()
for _ in range(runs):
    binding.run()
spent = time.perf_counter_ns() - start
print(f'{{"ns": {spent / runs:.1f}, "grown": {resident() - before}}}')
