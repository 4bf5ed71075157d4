// The same plugin as C++ sees it.

#include "dyno_plugin.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": "every-convenience", "version": "1.0.0"},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{"name": "all", "hardware": ["cpu"]}]
}));

namespace {

int32_t setup(const DynoHost *host, const DynoParam *params, size_t count, void **instance) {
    *instance = nullptr;
    if (dyno_param_integer(params, count, "n", 3) < 0) return dyno_skip(host, "nothing to do");
    if (dyno_param_number(params, count, "x", 0.5) < 0.0) return dyno_fail(host, "no");
    if (dyno_str_equals(dyno_param_text(params, count, "mode"), "f32")) return DYNO_SKIPPED;
    host->log(host->context, DYNO_LOG_INFO, DYNO_STR("ready"));
    dyno_log(host, DYNO_LOG_DEBUG, "ready");
    dyno_metric(host, "first", 1.0);
    return DYNO_OK;
}

int32_t execute(void *, uint64_t iterations, DynoReport *report) {
    dyno_keep(&iterations);
    report->items = static_cast<double>(iterations);
    return DYNO_OK;
}

void cleanup(void *) {}

const DynoBenchmark all = {sizeof(DynoBenchmark), 0,       DYNO_STR_INIT("all"), setup, nullptr,
                           nullptr,               execute, nullptr,              cleanup};
const DynoBenchmark *const benchmarks[] = {&all};
const DynoPlugin plugin = {sizeof(DynoPlugin), DYNO_ABI_VERSION, DYNO_LAYOUT_HASH,
                           DYNO_STR_INIT(dyno_descriptor), benchmarks, 1};

} // namespace

const DynoPlugin *dyno_plugin_v1(void) {
    DynoEntry same_type = dyno_plugin_v1;
    (void)same_type;
    return &plugin;
}
