// Overwrites the whole report, its size included.

#include "hostile.h"

EXECUTE {
    good_execute(instance, iterations, report);
    memset(report, 0xff, sizeof *report);
    return DYNO_OK;
}

HOSTILE(.execute = execute);
