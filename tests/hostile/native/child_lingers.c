// Leaves a child behind that holds standard output open in a session of its own, and does its work well.

#include "hostile.h"

SETUP {
    if (fork() == 0) {
        setsid();
        for (;;) sleep(1000);
    }
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
