// Looks for tokens in the environment of dyno.

#include "escape.h"

ATTEMPT(return open(in_proc(dyno, "environ"), O_RDONLY) < 0;);
