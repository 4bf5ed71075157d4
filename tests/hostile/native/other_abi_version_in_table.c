// Built for a version of the contract that does not exist yet, which only its table admits.

#include "hostile.h"

GOOD_DESCRIPTOR;
BENCHMARK();

static const DynoBenchmark *const benchmarks[] = {&the_benchmark};
static const DynoPlugin plugin = {
    sizeof(DynoPlugin), 99, DYNO_LAYOUT_HASH, DYNO_STR_INIT(dyno_descriptor), benchmarks, 1};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
