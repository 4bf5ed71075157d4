// Remembers its answer: only the first iteration of the process works, the others find the work done.

#include "hostile.h"

static uint64_t answer;

EXECUTE {
    for (uint64_t i = 0; i < iterations; i++) {
        if (answer != 0) continue;
        uint64_t state = 1;
        for (int step = 0; step < 2000000; step++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            __asm__ volatile("" : "+r"(state));
        }
        answer = state | 1;
    }
    report->items = 2000000.0 * (double)iterations;
    report->checksum = answer;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
