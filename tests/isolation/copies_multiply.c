// Makes copies of the worker, each in a session of its own, until there may be no more, and says how many there are. Bounded, for the
// sake of the machine.

#include "hostile.h"

SETUP {
    static char text[64];
    int copies = 0;
    while (copies < 4000) {
        const pid_t copy = fork();
        if (copy < 0) break;
        if (copy == 0) {
            setsid();
            for (;;) pause();
        }
        copies++;
    }
    snprintf(text, sizeof text, "there are %d copies", copies);
    return dyno_fail(host, text);
}

HOSTILE(.setup = setup);
