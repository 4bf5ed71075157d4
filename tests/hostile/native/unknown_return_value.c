// Returns a value that has no meaning.

#include "hostile.h"

EXECUTE { return 77; }

HOSTILE(.execute = execute);
