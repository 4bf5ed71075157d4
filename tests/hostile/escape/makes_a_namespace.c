// Makes a namespace in which it is root.

#include "escape.h"

ATTEMPT(return unshare(CLONE_NEWUSER) < 0;);
