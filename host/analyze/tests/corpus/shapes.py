"""Every construct whose complexity is counted, once or more."""
import asyncio


def straight(a, b=1, *args, c=None, **kwargs):
    return a


def branches(a, b):
    if a and b:
        return 1
    elif a or b or not a:
        return 2
    else:
        return 3


def loops(items):
    total = 0
    for item in items:
        if item:
            continue
        total += 1
    else:
        total -= 1
    while total:
        total -= 1
    return total


def handlers(path):
    try:
        f = open(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RuntimeError from error
    else:
        return f
    finally:
        print("done")


def comprehensions(rows):
    flat = [x for row in rows for x in row if x if x > 1]
    table = {k: v for k, v in rows}
    return (x if x else 0 for x in flat), table


def assertions(a):
    assert a, "a"
    assert a > 1
    return (lambda v: v if v else a)(a)


def matches(command):
    match command:
        case "go" if command:
            return 1
        case "stop" | "halt":
            return 2
        case _:
            return 3


def partly(command):
    match command:
        case 1:
            return 1
        case 2:
            return 2


def outer(n):
    def inner(m):
        if m:
            return m
        return 0

    if n:
        return inner(n)
    return [inner(i) for i in range(n)]


async def waits(things):
    async with things as t:
        async for thing in t:
            if thing:
                await asyncio.sleep(0)


class Holder:
    """Methods of all kinds."""

    class Inner:
        def deep(self, a):
            # A comment inside.
            return a or self

    @staticmethod
    def fixed(a: int, b: "Holder" = None) -> dict[str, int] | None:
        for i in range(a):
            for j in range(i):
                if i and j and a or b:
                    break
        return None

    @property
    def value(self):
        return 1 if self else 2
