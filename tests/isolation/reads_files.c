// reads_files: reads the file that its descriptor declares, and the one that its parameter names.

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dyno_plugin.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": "reads_files", "version": "1.0.0"},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{
        "name": "reads_files", "hardware": ["cpu"],
        "params": [{"name": "file", "type": "string", "default": ""}]
    }],
    "capabilities": [CAPABILITY, "env:DYNO_TEST_WORD"]
}));

static int can_read(const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) return 0;
    close(file);
    return 1;
}

static int32_t setup(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    static char path[4096];
    DynoStr named = dyno_param_text(params, count, "file");
    snprintf(path, sizeof path, "%.*s", (int)named.len, named.ptr);
    if (path[0] && !can_read(path)) return dyno_fail(host, "the named file is refused");
    if (!can_read(DECLARED)) return dyno_fail(host, "the declared file is refused");
    *instance = path;
    return DYNO_OK;
}

static int32_t execute(void *instance, uint64_t iterations, DynoReport *report) {
    (void)instance;
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations; i++) sum = sum + i;
    report->items = (double)iterations;
    report->checksum = sum;
    return DYNO_OK;
}

static void cleanup(void *instance) { (void)instance; }

static const DynoBenchmark benchmark = {
    .size = sizeof(DynoBenchmark), .name = DYNO_STR_INIT("reads_files"), .setup = setup, .execute = execute, .cleanup = cleanup};
static const DynoBenchmark *const benchmarks[] = {&benchmark};
static const DynoPlugin plugin = {
    sizeof(DynoPlugin), DYNO_ABI_VERSION, DYNO_LAYOUT_HASH, DYNO_STR_INIT(dyno_descriptor), benchmarks, 1};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
