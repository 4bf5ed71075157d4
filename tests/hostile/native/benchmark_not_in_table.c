// The descriptor names a benchmark that the table lacks.

#include "hostile.h"

GOOD_DESCRIPTOR;
BENCHMARK(.name = DYNO_STR_INIT("another_name"));
PLUGIN;
