// Makes memory that outlives it.

#include "escape.h"

ATTEMPT(return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) < 0;);
