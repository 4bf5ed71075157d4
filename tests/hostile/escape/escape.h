// What the plugins of this corpus share: each tries one thing in `setup` that reaches out of its process. It fails with the
// system's message if that is refused; it completes if it got away with it.

#include "../native/hostile.h"

#include <dirent.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

// The attempt, with `dyno` as the process that started the worker; nonzero: it was refused.
#define ATTEMPT(...)                                                                                          \
    static int refused(UNUSED pid_t dyno) { __VA_ARGS__ }                                                     \
    SETUP {                                                                                                   \
        errno = 0;                                                                                            \
        if (refused(getppid())) return dyno_fail(host, strerror(errno));                                      \
        THEN_GOOD_SETUP;                                                                                      \
    }                                                                                                         \
    HOSTILE(.setup = setup)

// The path of a file in the folder of a process.
static UNUSED const char *in_proc(pid_t process, const char *name) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    return path;
}
