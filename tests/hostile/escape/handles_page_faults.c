// Takes over page faults, by which races in the kernel are won.

#include "escape.h"

ATTEMPT(return syscall(SYS_userfaultfd, 0) < 0;);
