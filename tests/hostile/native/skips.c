// Cannot run here, and says so.

#include "hostile.h"

SETUP { return dyno_skip(host, "this machine has no abacus"); }

HOSTILE(.setup = setup);
