// Fast while it is calibrated, then never done: the limit must hold for every stage. Calibration asks for ever other numbers of
// iterations, on a busy machine, too; samples all have the same.

#include "hostile.h"

EXECUTE {
    static uint64_t last, repeated;
    repeated = iterations == last ? repeated + 1 : 0;
    last = iterations;
    while (repeated >= 5) pause();
    usleep((useconds_t)(iterations * 100));
    report->items = (double)iterations;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
