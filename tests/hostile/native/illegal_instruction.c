// Code for another processor, as far as this one can tell.

#include "hostile.h"

EXECUTE { __builtin_trap(); }

HOSTILE(.execute = execute);
