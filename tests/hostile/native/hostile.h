// What the plugins of the hostile corpus share: a good benchmark named NAME in a good plugin named NAME. Each file
// replaces one part of it, and is named after the fault. NAME comes from the command line: -DNAME='"…"'.

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dyno_plugin.h"

#ifndef LAYOUT_IN_DESCRIPTOR
#define LAYOUT_IN_DESCRIPTOR DYNO_LAYOUT_HASH_TEXT
#endif
#ifndef LAYOUT_IN_TABLE
#define LAYOUT_IN_TABLE DYNO_LAYOUT_HASH
#endif

#ifndef VERSION
#define VERSION "1.0.0"
#endif

#ifndef HARDWARE
#define HARDWARE "cpu"
#endif

#define GOOD_DESCRIPTOR                                                                                       \
    DYNO_DESCRIPTOR(DYNO_JSON({                                                                               \
        "schema": "dyno.descriptor/1",                                                                        \
        "plugin": {"id": NAME, "version": VERSION},                                                           \
        "abi": {"kind": "native", "version": 1, "layout_hash": LAYOUT_IN_DESCRIPTOR},                         \
        "benchmarks": [{                                                                                      \
            "name": NAME, "hardware": [HARDWARE],                                                             \
            "metrics": [{"name": "extra", "unit": "things", "better": "higher"}]                              \
        }]                                                                                                    \
    }))

#define UNUSED __attribute__((unused))

// The host's table, from `setup` on.
static UNUSED const DynoHost *the_host;

static UNUSED int32_t good_setup(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    (void)params;
    (void)count;
    the_host = host;
    *instance = &the_host;
    return DYNO_OK;
}

static UNUSED int32_t good_execute(void *instance, uint64_t iterations, DynoReport *report) {
    (void)instance;
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations; i++) sum = sum + i;
    report->items = (double)iterations;
    report->checksum = sum;
    return DYNO_OK;
}

static UNUSED void good_cleanup(void *instance) { (void)instance; }

// The table of a plugin with one good benchmark, except for what the arguments replace.
#define BENCHMARK(...)                                                                                        \
    _Pragma("GCC diagnostic ignored \"-Woverride-init\"") static const DynoBenchmark the_benchmark = {        \
        .size = sizeof(DynoBenchmark), .name = DYNO_STR_INIT(NAME), .setup = good_setup,                      \
        .execute = good_execute,       .cleanup = good_cleanup,     __VA_ARGS__}

#define PLUGIN                                                                                                \
    static const DynoBenchmark *const the_benchmarks[] = {&the_benchmark};                                    \
    static const DynoPlugin the_plugin = {sizeof(DynoPlugin), DYNO_ABI_VERSION, LAYOUT_IN_TABLE,              \
                                          DYNO_STR_INIT(dyno_descriptor), the_benchmarks, 1};                 \
    const DynoPlugin *dyno_plugin_v1(void) { return &the_plugin; }                                            \
    _Static_assert(1, "")

// Both, behind a good descriptor.
#define HOSTILE(...)                                                                                          \
    GOOD_DESCRIPTOR;                                                                                          \
    BENCHMARK(__VA_ARGS__);                                                                                   \
    PLUGIN

// Signatures of the functions that the faults replace.
#define SETUP                                                                                                 \
    static int32_t setup(UNUSED const DynoHost *host, UNUSED const DynoParam *params, UNUSED size_t count,    \
                         UNUSED void **instance)
#define EXECUTE                                                                                               \
    static int32_t execute(UNUSED void *instance, UNUSED uint64_t iterations, UNUSED DynoReport *report)
#define CLEANUP static void cleanup(UNUSED void *instance)

// Lets `setup` of a fault end as that of the good plugin.
#define THEN_GOOD_SETUP return good_setup(host, params, count, instance)
