// Starts a process by the call whose flags no filter sees.

#include "escape.h"

ATTEMPT(uint64_t arguments[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD}; pid_t child = syscall(SYS_clone3, arguments, sizeof arguments); if (child == 0) _exit(0); return child < 0;);
