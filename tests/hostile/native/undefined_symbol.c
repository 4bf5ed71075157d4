// Needs a function that nothing provides: binding at once must find out before any of its code runs.

#include "hostile.h"

extern int this_function_exists_nowhere(void);

EXECUTE { return this_function_exists_nowhere(); }

HOSTILE(.execute = execute);
