// deny ERRNO NAME PROGRAM ARGUMENT…: runs a program to which the kernel refuses a system call, as containers do.

#define _GNU_SOURCE

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int number_of(const char *name) {
    if (!strcmp(name, "personality")) return SYS_personality;
    if (!strcmp(name, "memfd_create")) return SYS_memfd_create;
    if (!strcmp(name, "sched_setaffinity")) return SYS_sched_setaffinity;
    if (!strcmp(name, "prctl")) return SYS_prctl;
    if (!strcmp(name, "madvise")) return SYS_madvise;
    if (!strcmp(name, "flock")) return SYS_flock;
    if (!strcmp(name, "landlock_create_ruleset")) return 444;
    if (!strcmp(name, "seccomp")) return SYS_seccomp;
    if (!strcmp(name, "capset")) return SYS_capset;
    exit(2);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number_of(argv[2]), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1])),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 77;
    execv(argv[3], argv + 3);
    return 127;
}
