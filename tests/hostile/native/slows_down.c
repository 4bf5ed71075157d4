// Fast while it is calibrated, then never done: the limit must hold for every stage.

#include "hostile.h"

EXECUTE {
    static double total;
    total += (double)iterations;
    if (total > 1e6) {
        for (;;) pause();
    }
    usleep(1000);
    report->items = (double)iterations;
    return DYNO_OK;
}

HOSTILE(.execute = execute);
