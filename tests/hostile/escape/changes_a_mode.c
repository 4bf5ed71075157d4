// Changes who may use a file outside.

#include "escape.h"

ATTEMPT(struct stat about; stat("/etc/passwd", &about); return chmod("/etc/passwd", about.st_mode) < 0;);
