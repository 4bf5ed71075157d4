// Fast while it is calibrated, then never done: the limit must hold for every stage. Calibration sees some 250
// iterations of a tenth of a millisecond.

#include "hostile.h"

EXECUTE {
    static uint64_t total;
    total += iterations;
    if (total > 320) {
        for (;;) pause();
    }
    usleep((useconds_t)(iterations * 100));
    report->items = (double)iterations;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
