// What makes tables wide: a long name, parameters, metrics of its own, a failure; and a key that nobody reads.

#include <stdlib.h>
#include <string.h>

#include "dyno_plugin.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": "wide", "version": "1.0.0", "licence": "MIT"},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{
        "name": "lookups_in_a_crowded_table_of_strings", "category": "data-structures", "hardware": ["cpu"],
        "description": "Looks keys up in a table that is nearly full, so that most of the time goes into collisions",
        "params": [
            {"name": "entries", "type": "integer", "default": 64, "min": 1, "max": 1048576},
            {"name": "strategy", "type": "enum", "default": "linear", "choices": ["linear", "quadratic", "broken"]},
            {"name": "unused", "type": "integer", "default": 7}
        ],
        "metrics": [
            {"name": "collisions_per_lookup", "unit": "collisions", "better": "lower"},
            {"name": "fill", "unit": "percent", "better": "higher"}
        ]
    }]
}));

static const DynoHost *the_host;
static uint64_t entries;

static int32_t setup(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    the_host = host;
    entries = (uint64_t)dyno_param_integer(params, count, "entries", 64);
    for (size_t i = 0; i < count; i++) {
        const DynoParam *param = &params[i];
        if (param->name.len == 8 && !memcmp(param->name.ptr, "strategy", 8) && param->text.len == 6 &&
            !memcmp(param->text.ptr, "broken", 6)) {
            return dyno_fail(host, "the strategy is broken on purpose");
        }
    }
    *instance = &entries;
    return DYNO_OK;
}

static int32_t execute(void *instance, uint64_t iterations, DynoReport *report) {
    (void)instance;
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations * entries; i++) sum = sum + i;
    report->items = (double)(iterations * entries);
    report->checksum = sum;
    return DYNO_OK;
}

static int32_t process_results(void *instance, const DynoSample *samples, size_t count) {
    (void)instance;
    (void)samples;
    (void)count;
    dyno_metric(the_host, "collisions_per_lookup", 12.5);
    dyno_metric(the_host, "fill", 87.5);
    return DYNO_OK;
}

static void cleanup(void *instance) { (void)instance; }

static const DynoBenchmark benchmark = {
    .size = sizeof(DynoBenchmark),
    .name = DYNO_STR_INIT("lookups_in_a_crowded_table_of_strings"),
    .setup = setup,
    .execute = execute,
    .process_results = process_results,
    .cleanup = cleanup,
};

static const DynoBenchmark *const benchmarks[] = {&benchmark};

static const DynoPlugin plugin = {
    .size = sizeof(DynoPlugin),
    .abi_version = DYNO_ABI_VERSION,
    .layout_hash = DYNO_LAYOUT_HASH,
    .descriptor = DYNO_STR_INIT(dyno_descriptor),
    .benchmarks = benchmarks,
    .benchmark_count = 1,
};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
