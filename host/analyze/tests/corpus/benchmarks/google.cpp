#include <benchmark/benchmark.h>
#include <chrono>
#include <vector>

static void BM_Fill(benchmark::State &state)
{
    for (auto _ : state) {
        std::vector<int> v(state.range(0));
        benchmark::DoNotOptimize(v.data());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(BM_Fill)->RangeMultiplier(4)->Range(8, 8 << 10)->Arg(3);

static void BM_Paused(benchmark::State &state)
{
    for (auto _ : state) {
        state.PauseTiming();
        prepare();
        state.ResumeTiming();
        work();
    }
}
BENCHMARK(BM_Paused)->Iterations(1);

BENCHMARK_DEFINE_F(Fixture, Walk)(benchmark::State &state)
{
    for (auto _ : state) {
        walk();
    }
}
BENCHMARK_REGISTER_F(Fixture, Walk)->Arg(7);

double by_hand()
{
    auto start = std::chrono::high_resolution_clock::now();
    work();
    auto end = std::chrono::high_resolution_clock::now();
    return std::chrono::duration<double>(end - start).count();
}
