// Starts a process in a namespace in which it is root.

#include "escape.h"

ATTEMPT(pid_t child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL); if (child == 0) _exit(0); return child < 0;);
