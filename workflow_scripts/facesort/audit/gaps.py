"""Gaps between groups: a group's mean against the others', its interval, its test and its power.

The test asks what gaps there would be if groups were dealt out to the faces at random: to all of
them, or, where each emotion counts alike, among those of each emotion. For shares it is Fisher's
exact test, since few faces of a rare answer would deceive an approximation.

Sources: Newcombe 1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
(method 10); Fisher 1922, https://doi.org/10.2307/2340521; Rüger 1978,
https://doi.org/10.1007/BF01924853 (p values of several tests joined by twice their median)
"""

from typing import Final, NamedTuple

import numpy as np
from scipy import stats

from facesort.score.intervals import estimate

# Chance of a false alarm in the whole audit, and of seeing a gap of the size that is told.
ALPHA, POWER = 0.05, 0.8
# Faces of each answer that a group should have on average, and of each emotion on both sides.
LEAST_EXPECTED: Final = 5
LEAST_OF_EMOTION: Final = 10


class Gap(NamedTuple):
    """A group's mean against the others'.

    Attributes:
        value, others: the means.
        difference, low, high: of the two, and its 95% interval; over faces, and seeds if several.
        seed_low, seed_high: the least and the largest difference of a seed.
        p: of a difference of 0, not corrected; NaN where too few faces could show one.
        error: deviation of the difference if groups were dealt out at random.
    """

    value: float
    others: float
    difference: float
    low: float
    high: float
    seed_low: float
    seed_high: float
    p: float
    error: float


def compare(values: np.ndarray, member: np.ndarray, emotions: np.ndarray | None = None) -> Gap:
    """Compare a group with the others.

    Args:
        values: float (seeds, n) in [-1, 1]; of shares, 0 and 1 alone.
        member: bool (n,), who belongs to the group; both sides have some.
        emotions: (n,), of each face where each emotion counts alike. Those with fewer than
            ``LEAST_OF_EMOTION`` faces on either side are left out.
    """
    if emotions is None:
        kind, kinds = np.zeros(len(member), int), 1
    else:
        names, kind = np.unique(emotions, return_inverse=True)
        both = np.stack(
            [np.bincount(kind[side], minlength=len(names)) for side in (member, ~member)]
        )
        kept = both.min(0) >= LEAST_OF_EMOTION
        if not kept.any():
            return Gap(*[float("nan")] * len(Gap._fields))
        rows = kept[kind]
        values, member = values[:, rows], member[rows]
        kinds, kind = int(kept.sum()), (np.cumsum(kept) - 1)[kind[rows]]
    inside, counts = _means(values, member, kind, kinds)
    outside, other_counts = _means(values, ~member, kind, kinds)
    by_seed = (inside - outside).mean(1)
    mean = values.mean(0)
    spread = np.array([mean[kind == number].var(ddof=1) for number in range(kinds)])
    error = float(np.sqrt((spread * (1 / counts + 1 / other_counts)).sum()) / kinds)
    difference = float(by_seed.mean())
    if emotions is None and np.isin(values, (0, 1)).all():
        given = values > 0
        p, (low, high) = _exact(given, member), _newcombe(given, member)
        if len(values) > 1:
            low, high, crossed = _interval(values, member, kind)
            p = max(p, crossed)
        if min(mean.mean(), 1 - mean.mean()) * min(*counts, *other_counts) < LEAST_EXPECTED:
            p = float("nan")
    else:
        low, high, crossed = _interval(values, member, kind)
        dealt = float(2 * stats.norm.sf(abs(difference) / error)) if error else 1.0
        p = dealt if len(values) == 1 else max(dealt, crossed)
    means = float(inside.mean()), float(outside.mean())
    return Gap(*means, difference, low, high, by_seed.min(), by_seed.max(), p, error)


def _means(
    values: np.ndarray, side: np.ndarray, kind: np.ndarray, kinds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of one side the means (seeds, kinds), and how many faces of each kind there are."""
    counts = np.bincount(kind[side], minlength=kinds)
    sums = [np.bincount(kind[side], row[side], minlength=kinds) for row in values]
    return np.stack(sums) / counts, counts


def _interval(
    values: np.ndarray, member: np.ndarray, kind: np.ndarray
) -> tuple[float, float, float]:
    """Interval of the difference over faces and seeds, and p value of 0.

    Half the difference is a mean over kinds and sides, the others' side taken negative.
    """
    half = estimate(np.where(member, values, -values), 2 * kind + member)
    return max(2 * half.low, -1.0), min(2 * half.high, 1.0), half.p


def _newcombe(given: np.ndarray, member: np.ndarray) -> tuple[float, float]:
    """Interval of the difference of two shares, of one seed: from Wilson's of each."""
    z = stats.norm.isf(0.025)
    n = np.array([member.sum(), (~member).sum()])
    share = np.array([given[:, side].mean() for side in (member, ~member)])
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    below, above = share - (middle - half), middle + half - share
    difference = float(share[0] - share[1])
    return difference - float(np.hypot(below[0], above[1])), difference + float(
        np.hypot(above[0], below[1])
    )


def _exact(given: np.ndarray, member: np.ndarray) -> float:
    """Fisher's p value; of several seeds twice the median, which holds however they depend."""
    found = []
    for row in given:
        inside, outside = int(row[member].sum()), int(row[~member].sum())
        table = [[inside, member.sum() - inside], [outside, (~member).sum() - outside]]
        found.append(stats.fisher_exact(table).pvalue)
    return float(found[0] if len(found) == 1 else min(1.0, 2 * np.median(found)))


def detectable(error: np.ndarray, tests: int) -> np.ndarray:
    """Gaps that would be seen with 80% power, each test at its share of ``ALPHA``."""
    return error * float(stats.norm.isf(ALPHA / (2 * max(tests, 1))) + stats.norm.isf(1 - POWER))
