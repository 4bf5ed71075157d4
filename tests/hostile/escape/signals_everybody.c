// Sends a signal that does nothing to every process that it can.

#include "escape.h"

ATTEMPT(return kill(-1, 0) < 0;);
