#!/usr/bin/env python3
"""Serving: many threads run one session. Each has its own binding, so that a request allocates nothing. Argument: the
data folder."""

import concurrent.futures
import sys

import numpy
import sample
from intmill import Binding, Model, Session

THREADS, REQUESTS = 4, 500
images = sample.images("t10k")[:REQUESTS]
session = Session(Model.load(sample.MODEL), {"threads": 1})  # the server has threads


def serve(_):
    """Answers all requests, of one image each, on the calling thread."""
    x, scores = numpy.zeros((1, 1, 28, 28), "f4"), numpy.zeros((REQUESTS, 10), "f4")
    y = numpy.zeros((1, 10), "f4")
    with Binding(session) as binding:
        binding.set_input("image", x)
        binding.set_output("logits", y)
        for i in range(REQUESTS):
            x[0] = images[i]
            binding.run()
            scores[i] = y[0]
    return scores


with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
    answers = list(pool.map(serve, range(THREADS)))
alone = serve(None)
differing = sum(not numpy.array_equal(scores, alone) for scores in answers)
print(f"{THREADS} threads answered {REQUESTS} requests each; {differing} threads differ from a single one")
sys.exit(1 if differing else 0)
