// Replaces the worker by another program, where that is not refused.

#include "hostile.h"

SETUP {
    execl("/bin/sh", "sh", "-c", "exit 9", (char *)NULL);
    return dyno_fail(host, strerror(errno));
}

HOSTILE(.setup = setup);
