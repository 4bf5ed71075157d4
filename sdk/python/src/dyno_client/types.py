"""What a server says, field by field. Times are RFC 3339 in UTC, durations seconds unless a name says otherwise."""

from __future__ import annotations

from typing import Any, TypedDict


class Started(TypedDict):
    """A run that was taken in."""

    run_id: str
    status: str
    message: str
    started_at: str


class _Standing(TypedDict):
    run_id: str
    status: str
    progress: float
    current_step: str
    start_time: str
    elapsed_time: float
    estimated_remaining_time: float | None
    completed_models: int
    total_models: int


class Status(_Standing, total=False):
    """How a run stands: ``initializing``, ``running``, ``completed`` or ``failed``. Only a failed run has an ``error``."""

    error: str


class _Outcome(TypedDict):
    model: str
    benchmark: str
    hardware: str
    params: dict[str, Any]
    status: str
    success: bool
    average_latency_ms: float | None
    throughput_items_per_second: float | None
    memory_peak_mb: float | None
    metrics: dict[str, float]


class CaseResult(_Outcome, total=False):
    """What came of one case: a benchmark with parameters on a device. Only one that did not complete has an ``error``."""

    error: str


class Results(TypedDict):
    """What came of a run."""

    run_id: str
    status: str
    config: dict[str, Any]
    results: list[CaseResult]
    start_time: str
    completion_time: str | None


class ModelHardware(TypedDict):
    """A kind of device that a model runs on, and why it is not available."""

    kind: str
    available: bool
    reason: str | None


class Model(TypedDict):
    """A model or benchmark that can be run."""

    name: str
    family: str
    type: str
    modality: str
    benchmark: str
    parameters: int | None
    priority: str | None
    tags: list[str]
    precisions: list[str]
    hardware: list[ModelHardware]


class Hardware(TypedDict):
    """A device, or a kind of device and why it is not available."""

    name: str
    device: str
    memory_gb: float
    simulation_mode: bool
    available: bool
    reason: str | None
    id: str


class Reports(TypedDict):
    """Report files of a run."""

    run_id: str
    status: str
    reports: list[str]
    path: str
    urls: list[str]


class PerformanceRow(TypedDict):
    """One stored result."""

    model_name: str
    model_family: str
    hardware_type: str
    device_name: str
    test_case: str
    batch_size: int | None
    precision: str | None
    throughput_items_per_second: float | None
    average_latency_ms: float
    memory_peak_mb: float | None
    simulation_mode: bool
    created_at: str
