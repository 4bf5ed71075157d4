// Watches what is done to files outside.

#include "escape.h"

ATTEMPT(return inotify_init1(0) < 0;);
