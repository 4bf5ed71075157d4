// Does the work of all iterations, and reports that of one.

#include "hostile.h"

EXECUTE {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        for (uint64_t k = 0; k < 500; k++) sum = sum + k;
    }
    report->items = 500;
    report->bytes = 4000;
    report->checksum = sum;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
