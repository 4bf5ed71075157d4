// Leaves a copy of the worker in a session of its own, and never ends.

#include "hostile.h"

SETUP {
    if (fork() == 0) setsid();
    for (;;) pause();
}

HOSTILE(.setup = setup);
