// Has a descriptor and no entry function.

#include "hostile.h"

GOOD_DESCRIPTOR;
