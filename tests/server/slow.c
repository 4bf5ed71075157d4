// The same benchmark in a build that has become slower.

#define PACE 50

#include "fast.c"
