// Reports work that is no number.

#include "hostile.h"

EXECUTE {
    good_execute(instance, iterations, report);
    report->bytes = NAN;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
