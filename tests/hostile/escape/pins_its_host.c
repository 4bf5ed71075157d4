// Puts dyno on one processor.

#include "escape.h"

ATTEMPT(cpu_set_t set; CPU_ZERO(&set); CPU_SET(0, &set); return sched_setaffinity(dyno, sizeof set, &set) < 0;);
