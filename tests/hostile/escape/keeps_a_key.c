// Leaves a key with the kernel.

#include "escape.h"

ATTEMPT(return syscall(SYS_add_key, "user", "dyno", "x", (size_t)1, -4) < 0;);
