// Prints one line in every timed call.

#include "hostile.h"

EXECUTE {
    printf("%llu iterations\n", (unsigned long long)iterations);
    fflush(stdout);
    return good_execute(instance, iterations, report);
}

HOSTILE(.execute = execute);
