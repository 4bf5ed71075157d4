"""The command line, with the verbs of the original suite's client. Results are JSON on standard output."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from .client import DEFAULT_URL, BenchmarkClient
from .errors import DynoError
from .types import Status

BAR = 30


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dyno-client", description="Talk to a dyno server.")
    parser.add_argument("--server", default=DEFAULT_URL, help="address of the server [%(default)s]")
    parser.add_argument("--token", help="the right to use it [env: DYNO_TOKEN]")
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("start", help="start a run")
    start.add_argument("--priority", choices=["critical", "high", "medium", "all"], default="high")
    start.add_argument("--hardware", nargs="+", default=["cpu"])
    start.add_argument("--models", nargs="+")
    start.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 8])
    start.add_argument("--precision", default="fp32")
    start.add_argument("--progressive-mode", action=argparse.BooleanOptionalAction, default=True)
    start.add_argument("--incremental", action=argparse.BooleanOptionalAction, default=True)
    start.add_argument("--monitor", action="store_true", help="watch it to its end")
    for verb, says in [("status", "show the status of a run"), ("results", "show its results"), ("monitor", "watch it")]:
        verbs.add_parser(verb, help=says).add_argument("run_id", metavar="ID")
    for verb in ["models", "hardware", "reports"]:
        verbs.add_parser(verb, help=f"list {verb}")
    query = verbs.add_parser("query", help="stored results")
    query.add_argument("--model")
    query.add_argument("--hardware")
    query.add_argument("--batch-size", type=int)
    query.add_argument("--limit", type=int, default=100)
    return parser


def _show(value: Any) -> None:
    print(json.dumps(value, indent=2))


def _bar(status: Status) -> None:
    full = round(BAR * status["progress"])
    line = f"[{'#' * full}{'.' * (BAR - full)}] {100 * status['progress']:3.0f} % {status['current_step']}"
    print(f"\r{line:<100}", end="", file=sys.stderr, flush=True)


def _watch(client: BenchmarkClient, run_id: str) -> int:
    status = client.monitor_progress(run_id, _bar)
    print(file=sys.stderr)
    _show(status)
    return 0 if status["status"] == "completed" else 1


def _carry_out(client: BenchmarkClient, asked: argparse.Namespace) -> int:
    if asked.verb == "start":
        config = {
            name: getattr(asked, name)
            for name in ["priority", "hardware", "models", "batch_sizes", "precision"]
            + ["progressive_mode", "incremental"]
        }
        started = client.start_benchmark(config)
        _show(started)
        return _watch(client, started["run_id"]) if asked.monitor else 0
    if asked.verb == "monitor":
        return _watch(client, asked.run_id)
    if asked.verb == "query":
        _show(client.query_results(asked.model, asked.hardware, asked.batch_size, asked.limit))
    elif asked.verb in ("status", "results"):
        _show(getattr(client, f"get_{asked.verb}")(asked.run_id))
    else:
        _show(getattr(client, f"list_{asked.verb}")())
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        with BenchmarkClient(asked.server, token=asked.token) as client:
            return _carry_out(client, asked)
    except DynoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
