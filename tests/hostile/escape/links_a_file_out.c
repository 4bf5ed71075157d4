// Makes a second name of a file outside.

#include "escape.h"

ATTEMPT(close(open("own", O_WRONLY | O_CREAT, 0600)); return link("own", "/tmp/dyno-escaped") < 0;);
