// Its descriptor is not JSON.

#include "hostile.h"

DYNO_DESCRIPTOR("{\"schema\": \"dyno.descriptor/1\", ");
BENCHMARK();
PLUGIN;
