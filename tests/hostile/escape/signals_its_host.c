// Sends dyno a signal that does nothing.

#include "escape.h"

ATTEMPT(return kill(dyno, SIGCONT) < 0;);
