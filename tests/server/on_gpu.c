// A good benchmark for another device than the processor.

#define NAME "on_gpu"
#define HARDWARE "cuda"

#include "hostile.h"

HOSTILE();
