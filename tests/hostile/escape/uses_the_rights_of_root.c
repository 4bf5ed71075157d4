// Opens a file whose mode lets nobody in, which root may all the same.

#include "escape.h"

ATTEMPT(close(open("closed", O_WRONLY | O_CREAT, 0)); return open("closed", O_RDONLY) < 0;);
