"""The clients: one that waits, one to be awaited. Both speak the paths of the original suite, and those of dyno."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from .errors import RunFailed, refused, unreachable
from .types import Hardware, Model, PerformanceRow, Reports, Results, Started, Status

if TYPE_CHECKING:
    import pandas

DEFAULT_URL = "http://localhost:8000"
TIMEOUT_S = 60.0
ENDED = ("completed", "failed")

Progress = Callable[[Status], None]


def _headers(token: str | None) -> dict[str, str]:
    token = token or os.environ.get("DYNO_TOKEN")
    return {"authorization": f"Bearer {token}"} if token else {}


def _query(model: str | None, hardware: str | None, batch_size: int | None, limit: int) -> dict[str, Any]:
    asked = {"model": model, "hardware": hardware, "batch_size": batch_size, "limit": limit}
    return {name: value for name, value in asked.items() if value is not None}


def _config(config: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    return {**(config or {}), **more}


def _run(
    benchmarks: Sequence[str],
    params: Mapping[str, Any] | None,
    hardware: Sequence[str] | None,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    body: dict[str, Any] = {"benchmarks": list(benchmarks), **more}
    if params:
        body["params"] = dict(params)
    if hardware:
        body["hardware"] = list(hardware)
    return body


def _event(line: str) -> dict[str, Any] | None:
    """An event of a stream of server-sent events; nothing where the line is none."""
    return json.loads(line[5:]) if line.startswith("data:") else None


def _checked(status: Status, check: bool) -> Status:
    if check and status["status"] != "completed":
        raise RunFailed(0, status.get("error") or f"run {status['run_id']} failed")
    return status


def _frame(rows: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError as error:
        raise ImportError("results as a frame need pandas: pip install 'dyno-client[pandas]'") from error
    frame = pandas.DataFrame(list(rows), columns=list(PerformanceRow.__annotations__))
    frame["created_at"] = pandas.to_datetime(frame["created_at"], utc=True)
    return frame


class BenchmarkClient:
    """A client that waits for its answers."""

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        token: str | None = None,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(base_url=self.base_url, headers=_headers(token), timeout=timeout)

    def __enter__(self) -> BenchmarkClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            response = self._http.request(method, path, **more)
        except httpx.TransportError as error:
            raise unreachable(self.base_url, error) from error
        if not response.is_success:
            raise refused(response)
        return response.json()

    # The original suite's.

    def start_benchmark(self, config: Mapping[str, Any] | None = None, **more: Any) -> Started:
        """Starts a run: ``priority``, ``hardware``, ``models``, ``batch_sizes``, ``precision``, …"""
        return self._ask("POST", "/api/benchmark/run", json=_config(config, more))

    def get_status(self, run_id: str) -> Status:
        """The status of a run."""
        return self._ask("GET", f"/api/benchmark/status/{quote(run_id, safe='')}")

    def get_results(self, run_id: str) -> Results:
        """What came of a run that has ended."""
        return self._ask("GET", f"/api/benchmark/results/{quote(run_id, safe='')}")

    def list_models(self) -> list[Model]:
        """Models and benchmarks that can be run."""
        return self._ask("GET", "/api/benchmark/models")

    def list_hardware(self) -> list[Hardware]:
        """The eight kinds of hardware."""
        return self._ask("GET", "/api/benchmark/hardware")

    def list_reports(self) -> list[Reports]:
        """Reports, newest first."""
        return self._ask("GET", "/api/benchmark/reports")

    get_models, get_hardware, get_reports = list_models, list_hardware, list_reports

    def query_results(
        self,
        model: str | None = None,
        hardware: str | None = None,
        batch_size: int | None = None,
        limit: int = 100,
    ) -> list[PerformanceRow]:
        """Stored results, newest first."""
        asked = _query(model, hardware, batch_size, limit)
        return self._ask("GET", "/api/benchmark/query", params=asked)

    def results_frame(self, **filters: Any) -> pandas.DataFrame:
        """The same as a pandas frame, with the columns of the original suite."""
        return _frame(self.query_results(**filters))

    def monitor_progress(
        self,
        run_id: str,
        callback: Progress | None = None,
        exit_on_complete: bool = True,
        check: bool = False,
    ) -> Status:
        """Tells of every change until the run ends; gives how it ended. With ``check``, a failed run is an error."""
        status = self.get_status(run_id)
        if callback:
            callback(status)
        if status["status"] not in ENDED:
            for _ in self.events(run_id):
                now = self.get_status(run_id)
                if callback and now != status:
                    callback(now)
                status = now
                if exit_on_complete and status["status"] in ENDED:
                    break
            status = self.get_status(run_id)
        return _checked(status, check)

    # dyno's own.

    def start_run(
        self,
        benchmarks: Sequence[str],
        params: Mapping[str, Any] | None = None,
        hardware: Sequence[str] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Starts a run in the words of dyno; a list of values of a parameter is a sweep."""
        return self._ask("POST", "/api/runs", json=_run(benchmarks, params, hardware, more))

    def run(self, run: str = "last", samples: bool = False) -> dict[str, Any]:
        """A run with all that came of it, as ``dyno.result``."""
        return self._ask("GET", f"/api/runs/{quote(run, safe='~')}", params={"samples": str(samples).lower()})

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        """Runs, newest first: ``limit``, ``offset``, ``tag``, ``status``, ``benchmark``, ``order``."""
        return self._ask("GET", "/api/runs", params=filters)

    def cancel(self, run: str) -> dict[str, Any]:
        """Gives a run up."""
        return self._ask("POST", f"/api/runs/{quote(run, safe='~')}/cancel", json={})

    def resume(self, run: str) -> dict[str, Any]:
        """Starts what a run that was interrupted did not come to."""
        return self._ask("POST", f"/api/runs/{quote(run, safe='~')}/resume", json={})

    def compare(self, baseline: str, candidate: str, **options: Any) -> dict[str, Any]:
        """The comparison of two runs, as ``dyno.comparison``."""
        return self._ask("GET", "/api/compare", params={"baseline": baseline, "candidate": candidate, **options})

    def sql(self, query: str, limit: int = 1_000) -> dict[str, Any]:
        """Answers one SELECT."""
        return self._ask("POST", "/api/sql", json={"sql": query, "limit": limit})

    def events(self, run_id: str) -> Iterator[dict[str, Any]]:
        """The events of a run from its beginning to its end."""
        headers = {"accept": "text/event-stream"}
        path = f"/api/runs/{quote(run_id, safe='~')}/events"
        try:
            with self._http.stream("GET", path, headers=headers, timeout=TIMEOUT_S) as response:
                if not response.is_success:
                    response.read()
                    raise refused(response)
                for line in response.iter_lines():
                    if event := _event(line):
                        yield event
        except httpx.TransportError as error:
            raise unreachable(self.base_url, error) from error


class AsyncBenchmarkClient:
    """The same client, to be awaited."""

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        token: str | None = None,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(base_url=self.base_url, headers=_headers(token), timeout=timeout)

    async def __aenter__(self) -> AsyncBenchmarkClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            response = await self._http.request(method, path, **more)
        except httpx.TransportError as error:
            raise unreachable(self.base_url, error) from error
        if not response.is_success:
            raise refused(response)
        return response.json()

    # The original suite's.

    async def start_benchmark(self, config: Mapping[str, Any] | None = None, **more: Any) -> Started:
        """As :meth:`BenchmarkClient.start_benchmark`."""
        return await self._ask("POST", "/api/benchmark/run", json=_config(config, more))

    async def get_status(self, run_id: str) -> Status:
        """As :meth:`BenchmarkClient.get_status`."""
        return await self._ask("GET", f"/api/benchmark/status/{quote(run_id, safe='')}")

    async def get_results(self, run_id: str) -> Results:
        """As :meth:`BenchmarkClient.get_results`."""
        return await self._ask("GET", f"/api/benchmark/results/{quote(run_id, safe='')}")

    async def list_models(self) -> list[Model]:
        """As :meth:`BenchmarkClient.list_models`."""
        return await self._ask("GET", "/api/benchmark/models")

    async def list_hardware(self) -> list[Hardware]:
        """As :meth:`BenchmarkClient.list_hardware`."""
        return await self._ask("GET", "/api/benchmark/hardware")

    async def list_reports(self) -> list[Reports]:
        """As :meth:`BenchmarkClient.list_reports`."""
        return await self._ask("GET", "/api/benchmark/reports")

    async def query_results(
        self,
        model: str | None = None,
        hardware: str | None = None,
        batch_size: int | None = None,
        limit: int = 100,
    ) -> list[PerformanceRow]:
        """As :meth:`BenchmarkClient.query_results`."""
        asked = _query(model, hardware, batch_size, limit)
        return await self._ask("GET", "/api/benchmark/query", params=asked)

    async def results_frame(self, **filters: Any) -> pandas.DataFrame:
        """As :meth:`BenchmarkClient.results_frame`."""
        return _frame(await self.query_results(**filters))

    async def monitor_progress(
        self,
        run_id: str,
        callback: Progress | None = None,
        exit_on_complete: bool = True,
        check: bool = False,
    ) -> Status:
        """As :meth:`BenchmarkClient.monitor_progress`."""
        status = await self.get_status(run_id)
        if callback:
            callback(status)
        if status["status"] not in ENDED:
            async for _ in self.events(run_id):
                now = await self.get_status(run_id)
                if callback and now != status:
                    callback(now)
                status = now
                if exit_on_complete and status["status"] in ENDED:
                    break
            status = await self.get_status(run_id)
        return _checked(status, check)

    # dyno's own.

    async def start_run(
        self,
        benchmarks: Sequence[str],
        params: Mapping[str, Any] | None = None,
        hardware: Sequence[str] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """As :meth:`BenchmarkClient.start_run`."""
        return await self._ask("POST", "/api/runs", json=_run(benchmarks, params, hardware, more))

    async def run(self, run: str = "last", samples: bool = False) -> dict[str, Any]:
        """As :meth:`BenchmarkClient.run`."""
        asked = {"samples": str(samples).lower()}
        return await self._ask("GET", f"/api/runs/{quote(run, safe='~')}", params=asked)

    async def runs(self, **filters: Any) -> list[dict[str, Any]]:
        """As :meth:`BenchmarkClient.runs`."""
        return await self._ask("GET", "/api/runs", params=filters)

    async def cancel(self, run: str) -> dict[str, Any]:
        """As :meth:`BenchmarkClient.cancel`."""
        return await self._ask("POST", f"/api/runs/{quote(run, safe='~')}/cancel", json={})

    async def resume(self, run: str) -> dict[str, Any]:
        """As :meth:`BenchmarkClient.resume`."""
        return await self._ask("POST", f"/api/runs/{quote(run, safe='~')}/resume", json={})

    async def sql(self, query: str, limit: int = 1_000) -> dict[str, Any]:
        """As :meth:`BenchmarkClient.sql`."""
        return await self._ask("POST", "/api/sql", json={"sql": query, "limit": limit})

    async def events(self, run_id: str) -> AsyncIterator[dict[str, Any]]:
        """As :meth:`BenchmarkClient.events`."""
        headers = {"accept": "text/event-stream"}
        path = f"/api/runs/{quote(run_id, safe='~')}/events"
        try:
            async with self._http.stream("GET", path, headers=headers, timeout=TIMEOUT_S) as response:
                if not response.is_success:
                    await response.aread()
                    raise refused(response)
                async for line in response.aiter_lines():
                    if event := _event(line):
                        yield event
        except httpx.TransportError as error:
            raise unreachable(self.base_url, error) from error
