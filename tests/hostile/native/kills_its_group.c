// Kills its process group: the host must not be in it.

#include "hostile.h"

EXECUTE {
    kill(0, SIGKILL);
    return DYNO_OK;
}

HOSTILE(.execute = execute);
