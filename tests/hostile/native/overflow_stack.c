// Calls itself until the stack is full.

#include "hostile.h"

static int deeper(volatile char *above) {
    volatile char here[4096];
    here[0] = above ? above[0] : 1;
    return deeper(here) + here[0];
}

EXECUTE { return deeper(NULL); }

HOSTILE(.execute = execute);
