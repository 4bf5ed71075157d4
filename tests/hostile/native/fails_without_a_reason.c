// Fails and does not say why.

#include "hostile.h"

EXECUTE { return DYNO_ERROR; }

HOSTILE(.execute = execute);
