// Its output is wrong, and its `verify` knows.

#include "hostile.h"

static int32_t verify(UNUSED void *instance) { return dyno_fail(the_host, "the output differs from the reference"); }

HOSTILE(.verify = verify);
