// Fails as it should: the reason must arrive.

#include "hostile.h"

SETUP { return dyno_fail(host, "the moon is in the wrong phase"); }

HOSTILE(.setup = setup);
