// Asks for a handle, by which files are opened past all rules for paths.

#include "escape.h"

ATTEMPT(return syscall(SYS_name_to_handle_at, AT_FDCWD, "/etc/passwd", NULL, NULL, 0) < 0;);
