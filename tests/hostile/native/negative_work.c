// Reports negative work.

#include "hostile.h"

EXECUTE {
    good_execute(instance, iterations, report);
    report->bytes = -1.0;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
