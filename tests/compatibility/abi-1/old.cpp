// A plugin in C++ as it was written for version 1 of the ABI: the headers beside it are those of 26 November 2026.

#include <algorithm>
#include <random>
#include <vector>

#include "dyno.hpp"

namespace {

// Sorts `n` integers. `prepare` makes one fresh array per iteration, because sorted input is another benchmark.
class Sort : public dyno::benchmark {
public:
    void setup(const dyno::params &params) override {
        std::mt19937_64 random(host().seed());
        input_.resize(static_cast<std::size_t>(params.integer("n")));
        for (auto &value : input_) value = random();
    }

    void verify() override {
        auto sorted = input_;
        std::sort(sorted.begin(), sorted.end());
        auto reference = input_;
        std::stable_sort(reference.begin(), reference.end());
        if (sorted != reference) throw std::runtime_error("std::sort and std::stable_sort disagree");
    }

    void prepare(std::uint64_t iterations) override {
        arrays_.resize(iterations);
        for (auto &array : arrays_) array = input_;
    }

    void execute(std::uint64_t iterations, DynoReport &report) override {
        for (std::uint64_t i = 0; i < iterations; i++) std::sort(arrays_[i].begin(), arrays_[i].end());
        report.items = static_cast<double>(iterations * input_.size());
        if (iterations > 0) report.checksum = arrays_[iterations - 1].front();
    }

private:
    std::vector<std::uint64_t> input_;
    std::vector<std::vector<std::uint64_t>> arrays_;
};

} // namespace

DYNO_EXPORT_PLUGIN(
    DYNO_JSON({
        "schema": "dyno.descriptor/1",
        "plugin": {
            "id": "old-cpp", "version": "1.0.0", "description": "The smallest useful plugin in C++",
            "license": "MIT OR Apache-2.0"
        },
        "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
        "benchmarks": [
            {
                "name": "sort_cpp", "category": "example", "description": "std::sort of random integers",
                "hardware": ["cpu"],
                "params": [{
                    "name": "n", "type": "integer", "default": 1000, "min": 1, "max": 1000000, "unit": "elements",
                    "description": "Length of the array"
                }]
            }
        ]
    }),
    dyno::entry<Sort>("sort_cpp"));
