// Crashes in the timed call.

#include "hostile.h"

EXECUTE {
    *(volatile int *)8 = 1;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
