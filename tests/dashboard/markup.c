// Whatever a plugin may say is markup with a script in it: description, parameter, tag, output, and the reason of its failure.

#include "hostile.h"

#define MARKUP "<script>window.wasRun = 1</script><img src=x onerror='window.wasRun = 1'>"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": NAME, "version": "1.0.0", "description": MARKUP},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{
        "name": NAME, "hardware": ["cpu"], "description": MARKUP, "tags": ["<script>window.wasRun=1</script>"],
        "params": [{"name": "text", "type": "enum", "choices": ["plain", MARKUP], "default": MARKUP, "description": MARKUP}]
    }]
}));

static int32_t execute(UNUSED void *instance, uint64_t iterations, DynoReport *report) {
    printf("%s\n", MARKUP);
    return good_execute(instance, iterations, report);
}

BENCHMARK(.execute = execute);
PLUGIN;
