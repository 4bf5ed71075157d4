// Leaves with "success" in the middle of the work.

#include "hostile.h"

EXECUTE { exit(0); }

HOSTILE(.execute = execute);
