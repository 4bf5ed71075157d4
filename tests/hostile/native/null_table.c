// The entry function returns nothing.

#include "hostile.h"

GOOD_DESCRIPTOR;

const DynoPlugin *dyno_plugin_v1(void) { return NULL; }
