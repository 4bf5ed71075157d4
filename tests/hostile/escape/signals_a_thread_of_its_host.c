// Sends a thread of dyno such a signal.

#include "escape.h"

ATTEMPT(return syscall(SYS_tgkill, dyno, dyno, SIGCONT) < 0;);
