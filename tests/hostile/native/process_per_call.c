// Starts a process in every timed call that is never waited for, at most 20 of them.

#include "hostile.h"

EXECUTE {
    static int started;
    if (started < 20) {
        pid_t child = fork();
        if (child == 0) {
            for (;;) pause();
        }
        if (child > 0) started++;
    }
    return good_execute(instance, iterations, report);
}

HOSTILE(.execute = execute);
