// Does not listen when it is asked to stop.

#include "hostile.h"

EXECUTE {
    signal(SIGTERM, SIG_IGN);
    for (;;) pause();
}

HOSTILE(.execute = execute);
