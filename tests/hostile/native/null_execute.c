// A function that must not be null is null.

#include "hostile.h"

HOSTILE(.execute = NULL);
