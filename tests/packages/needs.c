// A plugin that needs a library: its `verify` knows what the library answers.

#include "hostile.h"

int story_outer(void);

#ifndef ANSWER
#define ANSWER 41
#endif

static int32_t verify(UNUSED void *instance) {
    return story_outer() == ANSWER ? DYNO_OK : dyno_fail(the_host, "the library gives another answer");
}

HOSTILE(.verify = verify);
