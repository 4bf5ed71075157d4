// Nothing wrong: the neighbour of every fault.

#include "hostile.h"

HOSTILE();
