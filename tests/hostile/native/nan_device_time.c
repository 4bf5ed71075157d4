// Reports a device time that is no number.

#include "hostile.h"

EXECUTE {
    good_execute(instance, iterations, report);
    report->device_ns = NAN;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
