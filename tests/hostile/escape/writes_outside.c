// Makes a file outside the folder of its launch.

#include "escape.h"

ATTEMPT(return open("/tmp/dyno-escaped", O_WRONLY | O_CREAT, 0600) < 0;);
