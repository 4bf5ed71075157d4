// reads_files: reads the file that its descriptor declares, and the one that its parameter names.

#include "hostile.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": NAME, "version": VERSION},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{
        "name": NAME, "hardware": ["cpu"],
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

SETUP {
    char path[4096];
    DynoStr named = dyno_param_text(params, count, "file");
    snprintf(path, sizeof path, "%.*s", (int)named.len, named.ptr);
    if (path[0] && !can_read(path)) return dyno_fail(host, "the named file is refused");
    if (!can_read(DECLARED)) return dyno_fail(host, "the declared file is refused");
    THEN_GOOD_SETUP;
}

BENCHMARK(.setup = setup);
PLUGIN;
