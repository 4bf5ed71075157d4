// Loads a program into the kernel.

#include "escape.h"

ATTEMPT(char attributes[120]; memset(attributes, 0, sizeof attributes); return syscall(SYS_bpf, 0, attributes, sizeof attributes) < 0;);
