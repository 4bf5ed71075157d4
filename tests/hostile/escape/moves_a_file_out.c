// Moves a file out of the folder of its launch.

#include "escape.h"

ATTEMPT(close(open("own", O_WRONLY | O_CREAT, 0600)); return rename("own", "/tmp/dyno-escaped") < 0;);
