"""The peer of `gemm_cublas`: the same product asked for by PyTorch, the median time of one by events, as JSON.

usage: gemm_torch.py N
"""

import json
import statistics
import sys

import torch

n = int(sys.argv[1])
a, b = (torch.rand(n, n, device="cuda:0").mul(2).sub(1).to(torch.bfloat16) for _ in range(2))
c = torch.empty(n, n, device="cuda:0", dtype=torch.bfloat16)
values = []
for turn in range(25):
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(10):
        torch.mm(a, b, out=c)
    end.record()
    end.synchronize()
    if turn >= 4:
        values.append(start.elapsed_time(end) * 1e6 / 10)
print(json.dumps({"ns_per_iteration": statistics.median(values), "torch": torch.__version__}))
