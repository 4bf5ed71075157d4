// Replaces the worker by another program.

#include "hostile.h"

SETUP {
    execl("/bin/sh", "sh", "-c", "exit 9", (char *)NULL);
    return DYNO_OK;
}

HOSTILE(.setup = setup);
