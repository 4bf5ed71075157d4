// Throws its result away, so that the compiler leaves nothing of the loop, and reports no work either.

#include "hostile.h"

static uint32_t input[256];

static uint32_t mix(void) {
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 256; i++) hash = (hash ^ input[i]) * 16777619u;
    return hash;
}

EXECUTE {
    uint32_t last = 0;
    for (uint64_t i = 0; i < iterations; i++) last = mix();
    (void)last;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
