// The same benchmark in a build that has become slower.

#define PACE 3

#include "fast.c"
