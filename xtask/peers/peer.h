/* What all peers share: how they time a loop, and the JSON that they print. */
#ifndef PEER_H
#define PEER_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLICES = 101 };
/* Shortest slice [ns], as in dyno: long enough that clock and call vanish in it. */
#define SLICE_NS 5e6

typedef void work(void *state, long iterations);

/* The compiler must take it that somebody reads what this points to. */
static inline void keep(void *memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

static inline double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static inline double slice(work *run, void *state, long iterations) {
    double start = now_ns();
    run(state, iterations);
    return now_ns() - start;
}

static inline int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Finds how many iterations make a slice, times the slices, prints the median of their times per iteration. */
static inline void measure(work *run, void *state) {
    static double values[SLICES];
    long iterations = 1;
    while (slice(run, state, iterations) < SLICE_NS) iterations *= 2;
    for (int i = 0; i < SLICES; i++) values[i] = slice(run, state, iterations) / (double)iterations;
    qsort(values, SLICES, sizeof *values, by_value);
    printf("{\"ns_per_iteration\": %.6f, \"slices\": %d, \"iterations\": %ld}\n", values[SLICES / 2], SLICES,
           iterations);
}

/* Memory that is there, on its own cache lines. */
static inline void *memory(size_t bytes) {
    void *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!block) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(1);
    }
    memset(block, 0, bytes);
    return block;
}

/* Whether the second argument asks for doubles; ends the program where the arguments make no sense. */
static inline int arguments_are(int count, char **arguments) {
    if (count != 3 || (strcmp(arguments[2], "f32") && strcmp(arguments[2], "f64"))) {
        fprintf(stderr, "usage: %s SIZE f32|f64\n", arguments[0]);
        exit(2);
    }
    return !strcmp(arguments[2], "f64");
}

static inline long size_in(char **arguments) {
    long size = strtol(arguments[1], NULL, 10);
    if (size < 1) {
        fprintf(stderr, "the size must be a number above 0, not %s\n", arguments[1]);
        exit(2);
    }
    return size;
}

#endif
