// Opens a hardware counter, by which other processes are observed.

#include "escape.h"

ATTEMPT(uint64_t attributes[16] = {0, 128}; return syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0) < 0;);
