// Reports a declared metric that is no number.

#include "hostile.h"

static int32_t process_results(UNUSED void *instance, UNUSED const DynoSample *samples, UNUSED size_t count) {
    dyno_metric(the_host, "extra", NAN);
    return DYNO_OK;
}

HOSTILE(.process_results = process_results);
