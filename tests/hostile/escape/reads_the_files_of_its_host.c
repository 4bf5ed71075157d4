// Looks for the database among what dyno has open.

#include "escape.h"

ATTEMPT(return opendir(in_proc(dyno, "fd")) == NULL;);
