// The table says that it is shorter than any table was.

#include "hostile.h"

GOOD_DESCRIPTOR;

static const DynoPlugin plugin = {4, DYNO_ABI_VERSION, DYNO_LAYOUT_HASH, DYNO_STR_INIT(dyno_descriptor), NULL, 0};

const DynoPlugin *dyno_plugin_v1(void) { return &plugin; }
