// Benchmarks that measure well and still break a promise each. Only trying them on purpose shows it.

#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <time.h>

#include "dyno_plugin.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": "mistakes", "version": "1.0.0", "description": "Breaks promises", "license": "MIT"},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [
        {"name": "leaks", "category": "mistakes", "description": "Frees nothing", "hardware": ["cpu"]},
        {"name": "remembers", "category": "mistakes", "description": "Keeps state", "hardware": ["cpu"]},
        {"name": "depends_on_time", "category": "mistakes", "description": "Ignores the seed", "hardware": ["cpu"]},
        {"name": "counts_one_more", "category": "mistakes", "description": "Reports too much", "hardware": ["cpu"]},
        {"name": "hoards", "category": "mistakes", "description": "Keeps a block of every call", "hardware": ["cpu"]},
        {"name": "deaf", "category": "mistakes", "description": "Never looks up", "hardware": ["cpu"]},
        {"name": "breaks_at_its_end", "category": "mistakes", "description": "Cannot do what it declares",
         "hardware": ["cpu"],
         "params": [{"name": "n", "type": "integer", "default": 64, "min": 1, "max": 4096, "description": "Length"}]}
    ]
}));

typedef struct {
    const DynoHost *host;
    uint64_t n;
    uint64_t start;
    uint64_t extra;
    int naps;
    int hoards;
    uint64_t values[1024];
} Work;

static Work *made(const DynoHost *host) {
    Work *it = calloc(1, sizeof *it);
    if (it) *it = (Work){.host = host, .n = 64};
    return it;
}

static int32_t setup(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    (void)params, (void)count;
    return (*instance = made(host)) ? DYNO_OK : dyno_fail(host, "not enough memory");
}

static int32_t setup_leaking(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    enum { LOST = 200000 };
    char *lost = malloc(LOST);
    for (int i = 0; lost && i < LOST; i += 1024) lost[i] = 1;
    dyno_keep(lost);
    return setup(host, params, count, instance);
}

static int32_t setup_remembering(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    static uint64_t instances;
    int32_t status = setup(host, params, count, instance);
    if (status == DYNO_OK) ((Work *)*instance)->start = ++instances;
    return status;
}

static int32_t setup_by_time(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    struct timespec now;
    int32_t status = setup(host, params, count, instance);
    clock_gettime(CLOCK_REALTIME, &now);
    if (status == DYNO_OK) ((Work *)*instance)->start = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30;
    return status;
}

static int32_t setup_with_extra(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    int32_t status = setup(host, params, count, instance);
    if (status == DYNO_OK) ((Work *)*instance)->extra = 1;
    return status;
}

static int32_t setup_napping(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    int32_t status = setup(host, params, count, instance);
    if (status == DYNO_OK) ((Work *)*instance)->naps = 1;
    return status;
}

static int32_t setup_hoarding(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    int32_t status = setup(host, params, count, instance);
    if (status == DYNO_OK) ((Work *)*instance)->hoards = 1;
    return status;
}

static int32_t setup_up_to_1024(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    int32_t status = setup(host, params, count, instance);
    uint64_t n = (uint64_t)dyno_param_integer(params, count, "n", 64);
    if (status == DYNO_OK) ((Work *)*instance)->n = n;
    return status;
}

static int32_t execute(void *instance, uint64_t iterations, DynoReport *report) {
    Work *it = instance;
    uint64_t sum = it->start;
    if (it->hoards) {
        char *kept = malloc(8192);
        for (int i = 0; kept && i < 8192; i += 1024) kept[i] = 1;
        dyno_keep(kept);
    }
    for (uint64_t i = 0; i < iterations; i++) {
        dyno_keep(it->values);
        for (uint64_t k = 0; k < it->n; k++) sum = sum * 31 + it->values[k % 1024];
        // Longer than anybody waits after Ctrl-C. A signal ends the sleep, and it sleeps on.
        struct timespec left = {2, 600000000};
        while (it->naps && iterations == 1 && nanosleep(&left, &left)) continue;
    }
    report->items = (double)(it->n * (iterations + it->extra));
    report->checksum = sum | 1;
    return DYNO_OK;
}

static int32_t verify(void *instance) {
    const Work *it = instance;
    return it->n <= 1024 ? DYNO_OK : dyno_fail(it->host, "the sum of so many values is wrong");
}

static void cleanup(void *instance) { free(instance); }

#define TABLE(NAME, SETUP)                                                                                             \
    static const DynoBenchmark NAME = {                                                                                \
        .size = sizeof(DynoBenchmark), .name = DYNO_STR_INIT(#NAME), .setup = SETUP, .verify = verify,                 \
        .execute = execute, .cleanup = cleanup,                                                                        \
    }

TABLE(leaks, setup_leaking);
TABLE(remembers, setup_remembering);
TABLE(depends_on_time, setup_by_time);
TABLE(counts_one_more, setup_with_extra);
TABLE(hoards, setup_hoarding);
TABLE(deaf, setup_napping);
TABLE(breaks_at_its_end, setup_up_to_1024);

static const DynoBenchmark *const benchmarks[] = {
    &leaks, &remembers, &depends_on_time, &counts_one_more, &hoards, &deaf, &breaks_at_its_end,
};

static const DynoPlugin plugin = {
    .size = sizeof(DynoPlugin),
    .abi_version = DYNO_ABI_VERSION,
    .layout_hash = DYNO_LAYOUT_HASH,
    .descriptor = DYNO_STR_INIT(dyno_descriptor),
    .benchmarks = benchmarks,
    .benchmark_count = sizeof benchmarks / sizeof benchmarks[0],
};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
