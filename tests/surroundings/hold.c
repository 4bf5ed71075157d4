// hold FLAG PROGRAM ARGUMENT…: runs a program, the first time as one that stays a process however it is killed, as one does that is
// stuck in a driver: another process traces it, and never looks. FLAG then holds the number of that process, or 0 where the
// kernel refuses.

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int flag = open(argv[1], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (flag >= 0) {
        int ready[2];
        if (pipe2(ready, O_CLOEXEC)) return 2;
        pid_t held = getpid();
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        if (fork() == 0) {
            setsid();
            for (int fd = 0; fd < 64; fd++) {
                if (fd != flag && fd != ready[1]) close(fd);
            }
            int refused = ptrace(PTRACE_SEIZE, held, NULL, NULL) != 0;
            dprintf(flag, "%d", refused ? 0 : (int)getpid());
            close(flag);
            close(ready[1]);
            if (refused) return 0;
            // Nobody shall have to end it.
            alarm(300);
            for (;;) pause();
        }
        close(flag);
        close(ready[1]);
        char byte;
        (void)!read(ready[0], &byte, 1);
    }
    execv(argv[2], argv + 2);
    return 127;
}
