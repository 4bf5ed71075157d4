// Measures and cleans up well, and never finishes exiting.

#include "hostile.h"

static void at_exit(void) {
    for (;;) pause();
}

SETUP {
    atexit(at_exit);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
