// Built with another header, and says so.

#define LAYOUT_IN_DESCRIPTOR "0x00000000deadbeef"
#include "hostile.h"

HOSTILE();
