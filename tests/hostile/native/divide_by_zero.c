// An arithmetic fault in the timed call.

#include "hostile.h"

EXECUTE {
    volatile int zero = 0;
    return 1 / zero;
}

HOSTILE(.execute = execute);
