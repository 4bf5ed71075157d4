// Stops itself, as a shell would: a stopped process answers nothing and does not end.

#include "hostile.h"

EXECUTE {
    kill(getpid(), SIGSTOP);
    return DYNO_OK;
}

HOSTILE(.execute = execute);
