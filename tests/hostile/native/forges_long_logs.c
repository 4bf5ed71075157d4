// Sends log lines of a megabyte past the worker, which would have cut them.

#include "forge.h"

SETUP {
    int channel = the_channel();
    for (int i = 0; i < 40; i++) forge_log(channel, 1 << 20);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
