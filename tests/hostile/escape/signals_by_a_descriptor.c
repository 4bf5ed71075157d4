// Gets a descriptor of dyno, which signals and descriptors are taken by.

#include "escape.h"

ATTEMPT(return syscall(SYS_pidfd_open, dyno, 0) < 0;);
