// Looks at what lies beside the folder of its launch.

#include "escape.h"

ATTEMPT(return opendir("..") == NULL;);
