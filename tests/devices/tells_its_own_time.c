// Works on a GPU that tells the time of its work, which is a fifth of what a call takes; WORK says how much it is. As drivers
// do, it has a thread of its own that computes.

#define HARDWARE "cuda"

#include <time.h>

#include "spinning_thread.h"

// What this thread has computed so far [ns], whatever else runs.
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void compute(int steps) {
    for (int i = 0; i < steps; i++) __asm__ volatile("");
}

EXECUTE {
    for (uint64_t i = 0; i < iterations; i++) {
        compute(80000);
        double begin = now();
        compute(WORK);
        report->device_ns += now() - begin;
    }
    report->items = (double)iterations;
    return DYNO_OK;
}

HOSTILE(.setup = setup, .execute = execute);
