// Works once, however many iterations it is asked for, and reports the work of all of them.

#include "hostile.h"

EXECUTE {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < 5000; i++) sum = sum + i;
    report->items = 5000.0 * (double)iterations;
    report->checksum = sum;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
