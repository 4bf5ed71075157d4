/* C: every construct whose complexity is counted. */
#include <stdio.h>
#include <stdlib.h>

struct point {
    int x, y;
};

static int straight(void)
{
    return 1;
}

int branches(int a, int b)
{
    if (a && b) {
        return 1;
    } else if (a || b) {
        return 2;
    } else {
        return 3;
    }
}

unsigned long loops(const int *items, size_t n)
{
    unsigned long total = 0;
    for (size_t i = 0; i < n; i++) {
        while (items[i] > 3 && total < 100) {
            total++;
        }
    }
    do {
        total--;
    } while (total > 10);
    return total;
}

char *switches(int kind, char *(*make)(int), ...)
{
    switch (kind) {
    case 1:
    case 2:
        return make(kind);
    case 3: {
        goto out;
    }
    default:
        break;
    }
    return kind > 10 ? make(1) : NULL;
out:
    return NULL;
}

int recursive(int n)
{
    // A comment on its own line.
    return n < 2 ? n : recursive(n - 1) + recursive(n - 2); /* and one behind code */
}

double point_length(const struct point *p)
{
    if (!p || (p->x == 0 && p->y == 0))
        return 0;
    return p->x * p->x + p->y * p->y;
}
