#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

double seconds(void)
{
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    work();
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9;
}

double wall(int n)
{
    struct timeval before, after;
    gettimeofday(&before, NULL);
    for (int i = 0; i < n; i++) {
        char *p = malloc(100);
        work_on(p);
        free(p);
    }
    gettimeofday(&after, NULL);
    return after.tv_sec - before.tv_sec;
}

double processor(void)
{
    clock_t t = clock();
    work();
    return (double)(clock() - t) / CLOCKS_PER_SEC;
}
