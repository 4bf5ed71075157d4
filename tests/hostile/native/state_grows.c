// Adds to a list in every iteration and walks all of it: each call is slower than the one before.

#include "hostile.h"

#define LONGEST (1u << 20)

static uint32_t list[LONGEST];
static uint32_t length;

EXECUTE {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        if (length < LONGEST) list[length++] = (uint32_t)i;
        for (uint32_t k = 0; k < length; k++) {
            sum += list[k];
            __asm__ volatile("" : "+r"(sum));
        }
    }
    report->items = (double)iterations;
    report->checksum = sum;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
