// Lets an exception out into code that knows nothing of exceptions.

#include <stdexcept>

#include "dyno_plugin.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": NAME, "version": "1.0.0"},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{"name": NAME, "hardware": ["cpu"]}]
}));

static int32_t setup(const DynoHost *, const DynoParam *, size_t, void **) { return DYNO_OK; }
static int32_t execute(void *, uint64_t, DynoReport *) { throw std::runtime_error("thrown across the boundary"); }
static void cleanup(void *) {}

static const DynoBenchmark benchmark = {sizeof(DynoBenchmark), 0,       DYNO_STR_INIT(NAME), setup, nullptr,
                                        nullptr,               execute, nullptr,             cleanup};
static const DynoBenchmark *const benchmarks[] = {&benchmark};
static const DynoPlugin plugin = {sizeof(DynoPlugin), DYNO_ABI_VERSION, DYNO_LAYOUT_HASH,
                                  DYNO_STR_INIT(dyno_descriptor), benchmarks, 1};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
