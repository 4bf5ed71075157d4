// Leaves a child behind that holds the channel and standard output open, and ends.

#include "hostile.h"

SETUP {
    if (fork() == 0) {
        setsid();
        for (;;) sleep(1000);
    }
    _exit(5);
}

HOSTILE(.setup = setup);
