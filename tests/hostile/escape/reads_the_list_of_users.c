// Reads a file outside that every user may read.

#include "escape.h"

ATTEMPT(return open("/etc/passwd", O_RDONLY) < 0;);
