// Makes memory that other processes can open.

#include "escape.h"

ATTEMPT(return shm_open("/dyno-escaped", O_RDWR | O_CREAT, 0600) < 0;);
