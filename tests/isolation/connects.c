// connects: talks to the endpoint that its parameter names, and tries every other way to the network.

#include "hostile.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": NAME, "version": VERSION},
    "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
    "benchmarks": [{
        "name": NAME, "hardware": ["cpu"],
        "params": [
            {"name": "endpoint", "type": "string", "default": ""},
            {"name": "other_port", "type": "integer", "default": 9}
        ]
    }],
    "capabilities": ["connect"]
}));

#define THREADS 8
#define TIMES 20

static struct sockaddr_in granted, other;
static char complaint[256];

// Fails unless the call was refused with the error.
#define REFUSED(call, error)                                                                                  \
    do {                                                                                                      \
        errno = 0;                                                                                            \
        if ((call) >= 0 || errno != (error)) {                                                                \
            snprintf(complaint, sizeof complaint, "%s: %s", #call, strerror(errno));                          \
            return complaint;                                                                                 \
        }                                                                                                     \
    } while (0)

static const char *talk(int flags) {
    int talking = socket(AF_INET, SOCK_STREAM | flags, 0);
    char answer[5] = "";
    if (talking < 0) return "no socket";
    if (connect(talking, (struct sockaddr *)&granted, sizeof granted) != 0) return strerror(errno);
    if (((fcntl(talking, F_GETFL) & O_NONBLOCK) != 0) != ((flags & SOCK_NONBLOCK) != 0)) return "another mode";
    if (fcntl(talking, F_SETFL, 0) != 0 || write(talking, "hello", 5) != 5) return "nothing could be said";
    if (read(talking, answer, 5) != 5 || memcmp(answer, "hello", 5) != 0) return "no answer";
    close(talking);
    return NULL;
}

static void *talk_often(UNUSED void *nothing) {
    for (int i = 0; i < TIMES; i++) {
        const char *why = talk(i % 2 ? SOCK_NONBLOCK : 0);
        if (why) return (void *)why;
    }
    return NULL;
}

static const char *try_everything_else(void) {
    int socket4 = socket(AF_INET, SOCK_STREAM, 0), socket6 = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr *others = (struct sockaddr *)&other;
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = other.sin_port};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
    struct msghdr message = {.msg_name = &other, .msg_namelen = sizeof other};
    REFUSED(connect(socket4, others, sizeof other), EPERM);
    REFUSED(connect(socket6, (struct sockaddr *)&mapped, sizeof mapped), EPERM);
    REFUSED(sendto(socket4, "x", 1, MSG_FASTOPEN, others, sizeof other), EPERM);
    REFUSED(sendmsg(socket4, &message, MSG_FASTOPEN), EPERM);
    REFUSED(bind(socket4, others, sizeof other), EPERM);
    REFUSED(listen(socket4, 1), EPERM);
    REFUSED(socket(AF_INET, SOCK_DGRAM, 0), EPERM);
    REFUSED(socket(AF_INET, SOCK_STREAM, 262), EPERM);
    REFUSED(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
    REFUSED(socket(AF_NETLINK, SOCK_RAW, 0), EPERM);
    REFUSED(connect(socket4, (struct sockaddr *)8, sizeof other), EFAULT);
    REFUSED(connect(socket4, (struct sockaddr *)&granted, 4096), EINVAL);
    REFUSED(connect(-1, (struct sockaddr *)&granted, sizeof granted), EBADF);
    int ends[2];
    if (pipe(ends) != 0) return "no pipe";
    REFUSED(connect(ends[0], (struct sockaddr *)&granted, sizeof granted), ENOTSOCK);
    if (connect(socket4, (struct sockaddr *)&granted, sizeof granted) != 0) return strerror(errno);
    REFUSED(connect(socket4, (struct sockaddr *)&granted, sizeof granted), EISCONN);
    close(socket4);
    close(socket6);
    return NULL;
}

SETUP {
    char host_name[64] = "";
    int port = 0;
    DynoStr endpoint = dyno_param_text(params, count, "endpoint");
    char text[128];
    snprintf(text, sizeof text, "%.*s", (int)endpoint.len, endpoint.ptr);
    if (sscanf(text, "%63[^:]:%d", host_name, &port) != 2) return dyno_fail(host, "no endpoint");
    granted = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &granted.sin_addr);
    other = granted;
    other.sin_port = htons((uint16_t)dyno_param_integer(params, count, "other_port", 9));

    const char *why = talk(0);
    if (why) return dyno_fail(host, why);
    const char *addresses = getenv("DYNO_CONNECT");
    char expected[192];
    snprintf(expected, sizeof expected, "%s=127.0.0.1:%d", text, port);
    if (!addresses || strcmp(addresses, expected) != 0) return dyno_fail(host, addresses ? addresses : "no addresses");
    why = try_everything_else();
    if (why) return dyno_fail(host, why);

    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, talk_often, NULL);
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        if (failed) return dyno_fail(host, failed);
    }
    THEN_GOOD_SETUP;
}

BENCHMARK(.setup = setup);
PLUGIN;
