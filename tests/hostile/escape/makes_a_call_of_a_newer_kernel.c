// Changes a file outside by a call that is newer than the list of those that are refused: `setxattrat` of Linux 6.13.

#include "escape.h"

#include <stdint.h>

ATTEMPT(
    struct { uint64_t value; uint32_t size; uint32_t flags; } attribute = {(uint64_t)(uintptr_t)"x", 1, 0};
    return syscall(463, AT_FDCWD, "..", 0, "user.escape", &attribute, sizeof attribute) < 0;);
