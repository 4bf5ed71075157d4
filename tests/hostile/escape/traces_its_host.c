// Attaches to dyno as a debugger does.

#include "escape.h"

ATTEMPT(return ptrace(PTRACE_SEIZE, dyno, NULL, NULL) < 0;);
