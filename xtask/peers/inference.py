"""ONNX Runtime driven from Python: the peer of `model-inference` in `cargo xtask bench inference`.

usage: inference.py MODEL.onnx THREADS COUNT

Prints the median time of COUNT inferences after three others, and the time of making the session, which reads and packs the
weights [ns].
"""

import sys
import time

import numpy
import onnxruntime

path, threads, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
begin = time.perf_counter_ns()
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
loaded = time.perf_counter_ns() - begin
(wanted,) = session.get_inputs()
random = numpy.random.default_rng(1)
if wanted.type == "tensor(int64)":
    given = random.integers(1000, 30522, wanted.shape, dtype=numpy.int64)
else:
    given = random.random(wanted.shape, dtype=numpy.float32)
times = []
for _ in range(3 + count):
    begin = time.perf_counter_ns()
    session.run(None, {wanted.name: given})
    times.append(time.perf_counter_ns() - begin)
times = sorted(times[3:])
print(times[len(times) // 2], loaded)
