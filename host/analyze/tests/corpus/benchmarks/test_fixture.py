import pytest


@pytest.mark.parametrize("size", [16, 1024])
@pytest.mark.parametrize("kind, seed", [("a", 1), ("b", 2)])
def test_sorting(benchmark, size, kind, seed):
    data = make(size, seed)
    benchmark(sorted, data)


def test_once(benchmark):
    benchmark.pedantic(work, rounds=1)


def test_warm(benchmark):
    benchmark.pedantic(work, rounds=20, iterations=5, warmup_rounds=3)


def helper(benchmark):
    return benchmark.name
