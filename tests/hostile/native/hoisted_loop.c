// Keeps the last result only: every iteration computes the same from the same input, so the compiler computes it once,
// before the loop. The attribute tells it what it finds out by itself where the function is larger than the loop.

#include "hostile.h"

static uint32_t input[4096];

__attribute__((noinline, pure)) static uint32_t mix(const uint32_t *values) {
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 4096; i++) hash = (hash ^ values[i]) * 16777619u;
    return hash;
}

SETUP {
    for (uint32_t i = 0; i < 4096; i++) input[i] = i * 2654435761u;
    THEN_GOOD_SETUP;
}

EXECUTE {
    uint32_t last = 0;
    for (uint64_t i = 0; i < iterations; i++) last = mix(input);
    report->items = 4096.0 * (double)iterations;
    report->checksum = last;
    return DYNO_OK;
}

HOSTILE(.setup = setup, .execute = execute);
