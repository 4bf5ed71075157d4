// A plugin that uses everything in the header at once, so that every macro and helper is compiled.

#include "dyno_plugin.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": "every-convenience", "version": "1.0.0"},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{"name": "all", "hardware": ["cpu"]}]
}));

static const DynoHost *the_host;

static int32_t setup(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    the_host = host;
    *instance = &the_host;
    if (host->abi_version != DYNO_ABI_VERSION) return dyno_fail(host, "another version");
    if (dyno_param_integer(params, count, "n", 3) < 0) return dyno_skip(host, "nothing to do");
    if (dyno_param_number(params, count, "x", 0.5) < 0.0) return DYNO_ERROR;
    if (dyno_str_equals(dyno_param_text(params, count, "mode"), "f32")) return DYNO_SKIPPED;
    if (dyno_param(params, count, "flag") != NULL && host->cancelled(host->context)) return DYNO_OK;
    host->log(host->context, DYNO_LOG_INFO, DYNO_STR("ready"));
    dyno_log(host, DYNO_LOG_DEBUG, "ready");
    return DYNO_OK;
}

static int32_t execute(void *instance, uint64_t iterations, DynoReport *report) {
    (void)instance;
    dyno_keep(&iterations);
    dyno_keep(DYNO_BUILD);
    report->items = (double)iterations;
    return DYNO_OK;
}

static int32_t process_results(void *instance, const DynoSample *samples, size_t count) {
    (void)instance;
    if (count > 0) dyno_metric(the_host, "first", (double)samples[0].wall_ns);
    return DYNO_OK;
}

static void cleanup(void *instance) {
    (void)instance;
}

static const DynoBenchmark all = {
    .size = sizeof(DynoBenchmark),
    .name = DYNO_STR_INIT("all"),
    .setup = setup,
    .execute = execute,
    .process_results = process_results,
    .cleanup = cleanup,
};

static const DynoBenchmark *const benchmarks[] = {&all};

static const DynoPlugin plugin = {
    .size = sizeof(DynoPlugin),
    .abi_version = DYNO_ABI_VERSION,
    .layout_hash = DYNO_LAYOUT_HASH,
    .descriptor = DYNO_STR_INIT(dyno_descriptor),
    .benchmarks = benchmarks,
    .benchmark_count = 1,
};

const DynoPlugin *dyno_plugin_v1(void) {
    DynoEntry same_type = dyno_plugin_v1;
    (void)same_type;
    (void)DYNO_ENTRY_SYMBOL;
    return &plugin;
}
