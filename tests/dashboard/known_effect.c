// Reports a metric that is VALUE, give or take a thousandth: two builds of it have a difference that a test knows.

#define _GNU_SOURCE

#include "hostile.h"

static int32_t process_results(UNUSED void *instance, UNUSED const DynoSample *samples, UNUSED size_t count) {
    dyno_metric(the_host, "extra", VALUE * (1.0 + (getpid() % 7 - 3) * 3e-4));
    return DYNO_OK;
}

HOSTILE(.process_results = process_results);
