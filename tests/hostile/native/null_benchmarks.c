// The table says that it has a benchmark and points nowhere.

#include "hostile.h"

GOOD_DESCRIPTOR;

static const DynoPlugin plugin = {
    sizeof(DynoPlugin), DYNO_ABI_VERSION, DYNO_LAYOUT_HASH, DYNO_STR_INIT(dyno_descriptor), NULL, 1};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
