// Children that start children: each generation ends after it has started the next, so that a list of them is old
// before it is read. Bounded, for the sake of the machine.

#include "hostile.h"

SETUP {
    if (fork() == 0) {
        for (int generation = 0; generation < 20000; generation++) {
            setsid();
            if (fork() != 0) _exit(0);
            usleep(500);
        }
        _exit(0);
    }
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
