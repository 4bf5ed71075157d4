/* The peer of `gemm`: a product of square row-major matrices by OpenBLAS.
   usage: gemm SIZE f32|f64 */
#include <stdlib.h>

#include "peer.h"

/* The one enumeration value and the two functions of CBLAS that are needed, so that no header has to be found. */
enum { ROW_MAJOR = 101, NOT_TRANSPOSED = 111 };
void cblas_sgemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
void cblas_dgemm(int, int, int, int, int, int, double, const double *, int, const double *, int, double, double *, int);

struct matrices {
    void *a, *b, *c;
    int n;
};

static void single(void *state, long iterations) {
    struct matrices *x = state;
    for (long i = 0; i < iterations; i++) {
        cblas_sgemm(ROW_MAJOR, NOT_TRANSPOSED, NOT_TRANSPOSED, x->n, x->n, x->n, 1.0f, x->a, x->n, x->b, x->n, 0.0f,
                    x->c, x->n);
        keep(x->c);
    }
}

static void wide(void *state, long iterations) {
    struct matrices *x = state;
    for (long i = 0; i < iterations; i++) {
        cblas_dgemm(ROW_MAJOR, NOT_TRANSPOSED, NOT_TRANSPOSED, x->n, x->n, x->n, 1.0, x->a, x->n, x->b, x->n, 0.0,
                    x->c, x->n);
        keep(x->c);
    }
}

int main(int count, char **arguments) {
    int is_wide = arguments_are(count, arguments);
    struct matrices x = {.n = (int)size_in(arguments)};
    size_t elements = (size_t)x.n * (size_t)x.n;
    x.a = memory(elements * sizeof(double));
    x.b = memory(elements * sizeof(double));
    x.c = memory(elements * sizeof(double));
    for (size_t i = 0; i < elements; i++) {
        double value = (double)rand() / RAND_MAX - 0.5;
        if (is_wide) ((double *)x.a)[i] = value, ((double *)x.b)[i] = -value;
        else ((float *)x.a)[i] = (float)value, ((float *)x.b)[i] = (float)-value;
    }
    measure(is_wide ? wide : single, &x);
}
