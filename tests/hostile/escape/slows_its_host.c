// Takes priority from dyno.

#include "escape.h"

ATTEMPT(return setpriority(PRIO_PROCESS, dyno, 0) < 0;);
