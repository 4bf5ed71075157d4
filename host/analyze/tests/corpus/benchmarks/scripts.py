import time
import timeit
import torch
import numpy as np
from datetime import datetime


def once():
    print(timeit.timeit("import json; json.dumps({})", number=1))
    print(min(timeit.repeat("x + 1", setup="x = 1", repeat=5, number=1000)))


def good(n=100):
    data = np.random.rand(n)
    for _ in range(3):
        work(data)  # warm-up
    samples = []
    for _ in range(n):
        start = time.perf_counter()
        work(data)
        samples.append(time.perf_counter() - start)
    return samples


def bad():
    start = time.time()
    data = np.random.rand(1000)
    work(data)
    end = time.time()
    print(end - start)


def gpu(model, batch):
    for _ in range(10):
        begin = time.perf_counter()
        model(batch.cuda())
        elapsed = time.perf_counter() - begin
    return elapsed


def gpu_right(model, batch):
    model(batch.cuda())
    for _ in range(10):
        begin = time.perf_counter()
        model(batch.cuda())
        torch.cuda.synchronize()
        elapsed = time.perf_counter() - begin
    return elapsed


def whole_loop():
    warm()
    t0 = time.perf_counter()
    for i in range(100):
        warm()
    return (time.perf_counter() - t0) / 100


def deadline(limit):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        work(None)


def dated():
    start = datetime.now()
    work(1)
    return datetime.now() - start


def watched(limit):
    start = time.monotonic()
    while work(2):
        if time.monotonic() - start > limit:
            raise TimeoutError
