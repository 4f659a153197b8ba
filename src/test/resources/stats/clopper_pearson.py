"""Writes clopper_pearson.csv beside itself: 95 % bounds of shares, from binomial tails in whole numbers alone, by bisection.

The lower bound of x of n is the p at which x or more have a probability of 0.025, the upper one that at which x or fewer have.
No beta function, no floating point: python3 clopper_pearson.py
"""
import math
import pathlib

BITS = 44
TAIL = (1, 40)                                          # 0.025


def tail_is_less(counts, n, k):
    """Whether the counts together have a probability below 0.025 at p = k / 2^BITS."""
    one = 1 << BITS
    total = sum(math.comb(n, i) * k**i * (one - k)**(n - i) for i in counts)
    return total * TAIL[1] < TAIL[0] << (BITS * n)


def bound(counts, n, grows):
    low, high = 0, 1 << BITS
    while high - low > 1:
        middle = (low + high) // 2
        if tail_is_less(counts, n, middle) == grows:
            low = middle
        else:
            high = middle
    return low / (1 << BITS)


rows = ["of,n,low,high"]
for n in (1, 2, 3, 5, 10, 25, 60, 100, 200, 418):
    for x in sorted({0, 1, n // 3, n // 2, (9 * n) // 10, n - 1, n}):
        low = 0.0 if x == 0 else bound(range(x, n + 1), n, True)
        high = 1.0 if x == n else bound(range(0, x + 1), n, False)
        rows.append(f"{x},{n},{low:.12f},{high:.12f}")
(pathlib.Path(__file__).parent / "clopper_pearson.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
