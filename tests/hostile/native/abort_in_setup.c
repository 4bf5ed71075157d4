// Gives up the C way.

#include "hostile.h"

SETUP { abort(); }

HOSTILE(.setup = setup);
