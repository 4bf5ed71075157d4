// Lowers the priority of every process of this user.

#include "escape.h"

ATTEMPT(return setpriority(PRIO_USER, 0, 19) < 0;);
