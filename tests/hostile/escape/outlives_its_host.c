// Switches the signal off that ends it with dyno.

#include "escape.h"

ATTEMPT(return prctl(PR_SET_PDEATHSIG, 0) < 0;);
