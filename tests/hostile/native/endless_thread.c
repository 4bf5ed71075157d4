// Starts a thread in `setup` that computes for as long as the process lives, beside what is measured.

#include "spinning_thread.h"

HOSTILE(.setup = setup);
