// Joins the process group of the host, so that a signal to its own group would reach it.

#include "escape.h"

ATTEMPT(return setpgid(0, getpgid(dyno)) < 0 || kill(0, 0) < 0;);
