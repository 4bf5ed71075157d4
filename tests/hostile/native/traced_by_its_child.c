// Lets a child in a session of its own trace the worker and never look at it: however the worker is killed, it does not end for
// its parent while the child lives.

#include "hostile.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>

SETUP {
    int ready[2];
    if (pipe(ready)) return DYNO_ERROR;
    pid_t worker = getpid();
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    if (fork() == 0) {
        setsid();
        ptrace(PTRACE_SEIZE, worker, NULL, NULL);
        close(ready[0]);
        close(ready[1]);
        for (;;) sleep(1000);
    }
    close(ready[1]);
    char byte;
    (void)!read(ready[0], &byte, 1);
    for (;;) pause();
}

HOSTILE(.setup = setup);
