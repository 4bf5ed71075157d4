/* The peer of `stream_triad`: the same loop, timed from the outside in slices of at least 5 ms.
   usage: triad ELEMENTS f32|f64 */
#include <stdlib.h>

#include "peer.h"

#define TRIAD(T, NAME)                                                          \
    static void NAME(T *restrict a, const T *restrict b, const T *restrict c, T s, long n) { \
        for (long i = 0; i < n; i++) a[i] = b[i] + s * c[i];                     \
    }                                                                           \
    static void NAME##_run(void *state, long iterations) {                      \
        struct arrays *x = state;                                               \
        for (long i = 0; i < iterations; i++) {                                 \
            NAME(x->a, x->b, x->c, (T)3.0, x->n);                               \
            keep(x->a);                                                         \
        }                                                                       \
    }

struct arrays {
    void *a, *b, *c;
    long n;
};

TRIAD(float, triad_f32)
TRIAD(double, triad_f64)

int main(int count, char **arguments) {
    int wide = arguments_are(count, arguments);
    struct arrays x = {.n = size_in(arguments)};
    size_t bytes = (size_t)x.n * (wide ? sizeof(double) : sizeof(float));
    x.a = memory(bytes);
    x.b = memory(bytes);
    x.c = memory(bytes);
    for (long i = 0; i < x.n; i++) {
        if (wide) ((double *)x.b)[i] = (double)i / (double)x.n, ((double *)x.c)[i] = 0.5;
        else ((float *)x.b)[i] = (float)i / (float)x.n, ((float *)x.c)[i] = 0.5f;
    }
    measure(wide ? triad_f64_run : triad_f32_run, &x);
}
