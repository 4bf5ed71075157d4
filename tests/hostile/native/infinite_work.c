// Reports infinite work.

#include "hostile.h"

EXECUTE {
    good_execute(instance, iterations, report);
    report->bytes = INFINITY;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
