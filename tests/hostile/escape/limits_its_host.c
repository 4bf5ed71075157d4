// Changes a limit of dyno, to what it is.

#include "escape.h"

ATTEMPT(struct rlimit limit; return prlimit(dyno, RLIMIT_NOFILE, NULL, &limit) < 0 || prlimit(dyno, RLIMIT_NOFILE, &limit, NULL) < 0;);
