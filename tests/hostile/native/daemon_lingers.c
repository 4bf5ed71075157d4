// Forks twice, so that the grandchild has no parent and no session in common with the worker, then loops.

#include "hostile.h"

SETUP {
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0) {
            signal(SIGTERM, SIG_IGN);
            for (;;) sleep(1000);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (;;) pause();
}

HOSTILE(.setup = setup);
