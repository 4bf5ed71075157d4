// A plugin in C as it was written for version 1 of the ABI: the header beside it is that of 26 November 2026.

#include <stdlib.h>

#include "dyno_plugin.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {
        "id": "old-c", "version": "1.0.0", "description": "The smallest useful plugin in C",
        "license": "MIT OR Apache-2.0"
    },
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{
        "name": "sum_c", "category": "example", "description": "Sums an array of floats", "hardware": ["cpu"],
        "params": [{
            "name": "n", "type": "integer", "default": 4096, "min": 1, "max": 16777216, "unit": "elements",
            "description": "Length of the array"
        }]
    }]
}));

typedef struct {
    const DynoHost *host;
    size_t n;
    float *values;
} Sum;

static float sum(const Sum *it) {
    float total = 0;
    for (size_t i = 0; i < it->n; i++) total += it->values[i];
    return total;
}

static int32_t setup(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    size_t n = (size_t)dyno_param_integer(params, count, "n", 4096);
    Sum *it = malloc(sizeof *it);
    float *values = malloc(n * sizeof *values);
    if (!it || !values) {
        free(it);
        free(values);
        return dyno_fail(host, "not enough memory for the array");
    }
    // One value per place that a float holds exactly, so that the order of summing cannot matter.
    for (size_t i = 0; i < n; i++) values[i] = i % 2 ? 1.0f : -1.0f;
    *it = (Sum){host, n, values};
    *instance = it;
    return DYNO_OK;
}

static int32_t verify(void *instance) {
    const Sum *it = instance;
    float expected = it->n % 2 ? -1.0f : 0.0f;
    return sum(it) == expected ? DYNO_OK : dyno_fail(it->host, "the sum is not what the pairs add up to");
}

static int32_t execute(void *instance, uint64_t iterations, DynoReport *report) {
    const Sum *it = instance;
    double total = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        // As far as the compiler can see, the values may have changed: every iteration sums them again.
        dyno_keep(it->values);
        total += sum(it);
    }
    report->items = (double)it->n * (double)iterations;
    report->bytes = report->items * sizeof(float);
    report->flop = report->items;
    memcpy(&report->checksum, &total, sizeof total);
    return DYNO_OK;
}

static void cleanup(void *instance) {
    Sum *it = instance;
    free(it->values);
    free(it);
}

static const DynoBenchmark sum_c = {
    .size = sizeof(DynoBenchmark),
    .name = DYNO_STR_INIT("sum_c"),
    .setup = setup,
    .verify = verify,
    .execute = execute,
    .cleanup = cleanup,
};

static const DynoBenchmark *const benchmarks[] = {&sum_c};

static const DynoPlugin plugin = {
    .size = sizeof(DynoPlugin),
    .abi_version = DYNO_ABI_VERSION,
    .layout_hash = DYNO_LAYOUT_HASH,
    .descriptor = DYNO_STR_INIT(dyno_descriptor),
    .benchmarks = benchmarks,
    .benchmark_count = sizeof benchmarks / sizeof benchmarks[0],
};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
