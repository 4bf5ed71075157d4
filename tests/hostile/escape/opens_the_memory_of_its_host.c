// Opens the memory of dyno by its file.

#include "escape.h"

ATTEMPT(return open(in_proc(dyno, "mem"), O_RDWR) < 0;);
