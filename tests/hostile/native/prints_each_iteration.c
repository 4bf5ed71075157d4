// Prints a line in every iteration, so that printing is what is measured.

#include "hostile.h"

EXECUTE {
    for (uint64_t i = 0; i < iterations; i++) {
        printf("iteration %llu of %llu\n", (unsigned long long)i, (unsigned long long)iterations);
    }
    fflush(stdout);
    report->items = (double)iterations;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
