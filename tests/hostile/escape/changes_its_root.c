// Makes another folder its root.

#include "escape.h"

ATTEMPT(return chroot(".") < 0;);
