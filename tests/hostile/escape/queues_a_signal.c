// Sends dyno such a signal in another way.

#include "escape.h"

ATTEMPT(siginfo_t about; memset(&about, 0, sizeof about); about.si_code = SI_QUEUE; return syscall(SYS_rt_sigqueueinfo, dyno, SIGCONT, &about) < 0;);
