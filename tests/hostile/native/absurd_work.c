// Reports more work than any machine could do.

#include "hostile.h"

EXECUTE {
    good_execute(instance, iterations, report);
    report->bytes = 1e300;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
