// Sets up a queue of system calls that no filter sees.

#include "escape.h"

ATTEMPT(char parameters[120]; memset(parameters, 0, sizeof parameters); return syscall(SYS_io_uring_setup, 1, parameters) < 0;);
