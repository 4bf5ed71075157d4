// Works and works.

#include "hostile.h"

EXECUTE {
    volatile int go_on = 1;
    while (go_on) {}
    return DYNO_OK;
}

HOSTILE(.execute = execute);
