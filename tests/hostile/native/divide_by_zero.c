// An arithmetic fault in the timed call.

#include "hostile.h"

EXECUTE {
    volatile int one = 1;
    volatile int zero = 0;
    return one / zero;
}

HOSTILE(.execute = execute);
