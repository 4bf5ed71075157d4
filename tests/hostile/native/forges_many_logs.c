// Sends more log lines past the worker than it would have let through.

#include "forge.h"

SETUP {
    int channel = the_channel();
    for (int i = 0; i < 2000; i++) forge_log(channel, 10);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
