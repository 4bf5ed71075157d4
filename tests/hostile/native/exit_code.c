// Leaves with a code of its own.

#include "hostile.h"

SETUP { _exit(77); }

HOSTILE(.setup = setup);
