// Starts a shell.

#include "escape.h"

ATTEMPT(int status; pid_t child = fork(); if (child == 0) { execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL); _exit(errno); } waitpid(child, &status, 0); errno = WEXITSTATUS(status); return errno != 0;);
