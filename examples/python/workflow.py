"""A complete workflow against a dyno server: what is there, a run that is watched, its results, all results.

    dyno serve &
    pip install ./sdk/python
    python examples/python/workflow.py --server http://localhost:8000 --models sum
"""

import argparse
import sys

from dyno_client import BenchmarkClient, DynoError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="http://localhost:8000")
    parser.add_argument("--models", nargs="+", required=True, help="models or benchmarks to run")
    parser.add_argument("--hardware", nargs="+", default=["cpu"])
    asked = parser.parse_args()
    with BenchmarkClient(asked.server) as client:
        print("Hardware:")
        for device in client.list_hardware():
            print(f"  {device['id']:<10} {device['device'] if device['available'] else device['reason']}")
        print(f"Models and benchmarks: {', '.join(model['name'] for model in client.list_models())}")

        started = client.start_benchmark(models=asked.models, hardware=asked.hardware)
        run_id = started["run_id"]
        print(f"Run {run_id}:")
        status = client.monitor_progress(
            run_id,
            lambda now: print(f"  {100 * now['progress']:3.0f} % {now['current_step']}"),
        )
        print(f"It is {status['status']} after {status['elapsed_time']:.1f} s.")

        for case in client.get_results(run_id)["results"]:
            if case["success"]:
                print(f"  {case['model']} on {case['hardware']}: {case['average_latency_ms']:.6f} ms")
            else:
                print(f"  {case['model']} on {case['hardware']}: {case['status']}, {case.get('error', '')}")

        print("Newest results of these models:")
        for model in asked.models:
            for row in client.query_results(model=model, limit=3):
                print(f"  {row['created_at']} {row['model_name']}: {row['average_latency_ms']:.6f} ms")
        return 0 if status["status"] == "completed" else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DynoError as error:
        sys.exit(f"error: {error}")
