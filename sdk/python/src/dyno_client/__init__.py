"""Client of a dyno server: start benchmark runs, watch them, read their results."""

from .client import AsyncBenchmarkClient, BenchmarkClient
from .errors import DynoError, RunFailed
from .types import CaseResult, Hardware, Model, ModelHardware, PerformanceRow, Reports, Results, Started, Status

BenchmarkAPIClient = BenchmarkClient
"""The name that the documents of the original suite use."""

__all__ = [
    "AsyncBenchmarkClient",
    "BenchmarkAPIClient",
    "BenchmarkClient",
    "CaseResult",
    "DynoError",
    "Hardware",
    "Model",
    "ModelHardware",
    "PerformanceRow",
    "Reports",
    "Results",
    "RunFailed",
    "Started",
    "Status",
]
__version__ = "0.1.0"
