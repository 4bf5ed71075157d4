// Crashes in `setup`, after a line on standard error that must be kept.

#include "hostile.h"

SETUP {
    fputs("about to crash\n", stderr);
    *(volatile int *)8 = 1;
    return DYNO_OK;
}

HOSTILE(.setup = setup);
