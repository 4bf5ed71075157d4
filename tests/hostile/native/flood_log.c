// Logs through the host without end.

#include "hostile.h"

EXECUTE {
    for (;;) dyno_log(the_host, DYNO_LOG_INFO, "a log line of a flood that never ends");
}

HOSTILE(.execute = execute);
