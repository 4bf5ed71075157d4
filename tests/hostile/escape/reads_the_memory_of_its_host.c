// Reads the memory of dyno by a system call.

#include "escape.h"

ATTEMPT(char byte; struct iovec here = {&byte, 1}; struct iovec there = {(void *)4096, 1}; return process_vm_readv(dyno, &here, 1, &there, 1, 0) < 0;);
