// Measures and cleans up well, and crashes while the process exits.

#include "hostile.h"

static void at_exit(void) { *(volatile int *)8 = 1; }

SETUP {
    atexit(at_exit);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
