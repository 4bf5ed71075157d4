"""Against a real server, which the environment names: DYNO_TEST_SERVER, with a benchmark DYNO_TEST_BENCHMARK."""

import asyncio
import json
import os

import pytest

from dyno_client import AsyncBenchmarkClient, BenchmarkClient, DynoError, RunFailed
from dyno_client.cli import main

URL = os.environ["DYNO_TEST_SERVER"]
BENCHMARK = os.environ["DYNO_TEST_BENCHMARK"]
ENDLESS = os.environ["DYNO_TEST_ENDLESS"]
QUICK = {"rule": "samples", "launches": 2, "per_launch": 2}


@pytest.fixture
def client():
    with BenchmarkClient(URL) as client:
        yield client


def test_a_run_is_started_watched_and_read(client):
    seen = []
    started = client.start_benchmark({"models": [BENCHMARK]}, incremental=False)
    status = client.monitor_progress(started["run_id"], seen.append, check=True)
    assert status["status"] == "completed" and status["progress"] == 1.0
    assert seen[0]["run_id"] == started["run_id"]
    results = client.get_results(started["run_id"])
    assert results["results"][0]["success"] and results["results"][0]["average_latency_ms"] > 0
    assert results["config"]["models"] == [BENCHMARK]


def test_results_become_a_frame(client):
    run = client.start_run([BENCHMARK], stop=QUICK)
    client.monitor_progress(run["id"], check=True)
    frame = client.results_frame(model=BENCHMARK)
    assert len(frame) >= 1 and (frame["average_latency_ms"] > 0).all()
    assert str(frame["created_at"].dtype).startswith("datetime64")
    assert list(client.results_frame(model="nothing").columns) == list(frame.columns)


def test_the_lists_are_real(client):
    assert BENCHMARK in [model["name"] for model in client.list_models()]
    hardware = client.get_hardware()
    assert hardware[0]["name"] == "cpu" and hardware[0]["available"]
    assert all(kind["reason"] for kind in hardware if not kind["available"])
    assert client.sql("SELECT 1 AS one")["rows"] == [[1]]
    assert isinstance(client.list_reports(), list)


def test_what_is_refused_says_why(client):
    with pytest.raises(DynoError, match="Benchmark run nonsense not found") as caught:
        client.get_status("nonsense")
    assert caught.value.status == 404
    with pytest.raises(DynoError, match="no model or benchmark `bert`"):
        client.start_benchmark(models=["bert"])
    with pytest.raises(DynoError, match="only SELECT"):
        client.sql("DROP TABLE runs")
    with BenchmarkClient("http://127.0.0.1:9") as nobody, pytest.raises(DynoError, match="dyno serve"):
        nobody.list_models()


def test_a_run_is_given_up(client):
    run = client.start_run([ENDLESS])
    assert client.cancel(run["id"])["status"] in ("cancelled", "cancelling")
    with pytest.raises(RunFailed, match="cancelled"):
        client.monitor_progress(run["id"], check=True)


def test_the_same_can_be_awaited():
    async def story():
        async with AsyncBenchmarkClient(URL) as client:
            run = await client.start_run([BENCHMARK], stop=QUICK)
            status = await client.monitor_progress(run["id"], check=True)
            record = await client.run(run["id"], samples=True)
            return status, record

    status, record = asyncio.run(story())
    assert status["status"] == "completed"
    assert len(record["cases"][0]["launches"][0]["samples"]) == 2


def test_the_command_line_has_the_original_verbs(client, capsys):
    assert main(["--server", URL, "start", "--models", BENCHMARK, "--no-incremental", "--monitor"]) == 0
    out = capsys.readouterr().out
    run_id = json.JSONDecoder().raw_decode(out)[0]["run_id"]
    for verb in (["status", run_id], ["results", run_id], ["models"], ["hardware"], ["reports"], ["query"]):
        assert main(["--server", URL, *verb]) == 0
        json.loads(capsys.readouterr().out)
    assert main(["--server", URL, "status", "nonsense"]) == 1
    assert "not found" in capsys.readouterr().err
    endless = client.start_run([ENDLESS])["id"]
    client.cancel(endless)
    assert main(["--server", URL, "monitor", endless]) == 1
