// Built with another header, which only its table admits.

#define LAYOUT_IN_TABLE 0x00000000deadbeefULL
#include "hostile.h"

HOSTILE();
