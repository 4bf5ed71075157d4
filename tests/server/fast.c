// A benchmark that takes about a microsecond per iteration, or PACE of them.

#define NAME "paced"
#ifndef PACE
#define PACE 1
#endif

#include "hostile.h"

EXECUTE {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations * 1000 * PACE; i++) sum = sum + i;
    report->items = (double)iterations;
    report->checksum = sum;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
