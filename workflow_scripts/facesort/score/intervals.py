"""Means over seeds and images: intervals and tests that cover both, and Holm's correction.

Every seed answers for the same images, as readers do for the same cases in radiology, and their
statistics serve here: seeds and images are both drawn at random and crossed, so the variance of a
mean has a part of each. A percentile bootstrap over few seeds understates the seeds' part by
(seeds - 1) / seeds, and knows no t distribution: where two seeds differ much, it covers the truth
in 85% of simulated cases, these intervals in 93% (tests/score/test_intervals.py).

Sources: Hillis 2007, https://doi.org/10.1002/sim.2532 (degrees of freedom); Wilson 1927,
https://doi.org/10.1080/01621459.1927.10502953; Holm 1979, https://www.jstor.org/stable/4615733
"""

from typing import NamedTuple

import numpy as np
from scipy import stats


class Estimate(NamedTuple):
    """A mean over seeds and images, its 95% interval, and the p value of the mean being 0."""

    mean: float
    low: float
    high: float
    p: float


def estimate(values: np.ndarray, classes: np.ndarray | None = None) -> Estimate:
    """Estimate a mean over crossed seeds and images, or the mean of several classes' means.

    With one seed the interval and the test cover images alone. With no variance at all, low and
    high equal the mean, and p is 1 if that is 0, else 0.

    Args:
        values: float (seeds, n) in [-1, 1]: 1 for right and 0 for wrong, or a difference of two
            such.
        classes: (n,), the class of each image, each of which counts alike, as in balanced
            accuracy; how many images a class has is taken as given. A class of one image adds no
            variance of images. None is one class.
    """
    values = np.asarray(values, np.float64)
    seeds, images = values.shape
    if classes is None:
        classes = np.zeros(images)
    _, member, counts = np.unique(classes, return_inverse=True, return_counts=True)
    weight = 1 / (len(counts) * counts[member])
    of_class = (member[:, None] == np.arange(len(counts))) / counts
    # Of squares about a class's mean, to the variance of the mean over classes.
    spread = weight**2 * (counts / np.maximum(counts - 1, 1))[member]
    by_seed, by_image, by_class = values @ weight, values.mean(0), values @ of_class
    mean = by_seed.mean()
    image_part = spread @ (by_image - by_class.mean(0)[member]) ** 2
    if seeds == 1:
        variance, freedom = image_part, float(images - len(counts))
    else:
        rest = values - by_class[:, member] - by_image + by_class.mean(0)[member]
        rest_part = spread @ (rest**2).sum(0) / ((seeds - 1) * seeds)
        # The parts of seeds and of images, neither below that of chance.
        seed_part = max(by_seed.var(ddof=1) / seeds, rest_part)
        variance = seed_part + max(image_part - rest_part, 0.0)
        settled = seed_part <= 1e-12 * variance
        freedom = np.inf if settled else (seeds - 1) * (variance / seed_part) ** 2
    if variance < 1e-15:
        return Estimate(float(mean), float(mean), float(mean), float(abs(mean) < 1e-12))
    error = np.sqrt(variance)
    half = stats.t.ppf(0.975, freedom) * error
    p = 2 * stats.t.sf(abs(mean) / error, freedom)
    return Estimate(float(mean), float(max(mean - half, -1)), float(min(mean + half, 1)), float(p))


def accuracy_interval(correct: np.ndarray) -> tuple[float, float]:
    """95% interval of mean accuracy, over images and seeds.

    Wilson's where there is one seed or all agree, else that of ``estimate``, kept in [0, 1].

    Args:
        correct: bool (seeds, n), whether each test face was right with each seed.
    """
    if (correct == correct[:1]).all():
        images = correct.shape[1]
        found = stats.binomtest(int(correct[0].sum()), images).proportion_ci(method="wilson")
        return float(found.low), float(found.high)
    found = estimate(correct)
    return max(found.low, 0.0), min(found.high, 1.0)


def paired_p(difference: np.ndarray, *, resamples: int, seed: int) -> float:
    """Two-sided p value of a paired comparison over images, the seeds being given.

    With one seed McNemar's exact test; with more, signs of the images' mean differences are
    turned at random.

    Args:
        difference: float (seeds, n), right minus right of two cells: -1, 0 or 1.
    """
    by_image = difference.mean(0)
    by_image = by_image[by_image != 0]
    if not len(by_image):
        return 1.0
    if len(difference) == 1 and set(np.unique(by_image)) <= {-1.0, 1.0}:
        return float(stats.binomtest(int((by_image > 0).sum()), len(by_image)).pvalue)
    generator = np.random.default_rng(seed)
    extreme = 1
    for start in range(0, resamples, 500):
        count = min(500, resamples - start)
        signs = 2.0 * generator.integers(2, size=(count, len(by_image)), dtype=np.int8) - 1
        extreme += int((np.abs(signs @ by_image) >= abs(by_image.sum()) - 1e-9).sum())
    return extreme / (resamples + 1)


def labels_p(labels: np.ndarray, predicted: np.ndarray, *, resamples: int, seed: int) -> float:
    """Two-sided p value of answers that tell nothing of the labels, which are dealt out anew.

    A cell that answers one emotion always is as right as ever when labels are dealt out anew, and
    so is never better than chance, however frequent that emotion.

    Args:
        labels: int (n,), indices of emotions.
        predicted: int (seeds, n); others than the labels' numbers are never right.
    """
    kinds = int(labels.max()) + 1
    shares = np.stack([(predicted == kind).mean(0) for kind in range(kinds)], axis=1)
    image = np.arange(len(labels))
    expected = shares.mean(0) @ np.bincount(labels, minlength=kinds)
    seen = abs(shares[image, labels].sum() - expected)
    generator = np.random.default_rng(seed)
    dealt = (
        shares[image, generator.permutation(labels)].sum() - expected for _ in range(resamples)
    )
    return (1 + sum(abs(one) >= seen - 1e-9 for one in dealt)) / (resamples + 1)


def holm(p: np.ndarray) -> np.ndarray:
    """p values corrected for their number, so that one false alarm in all has the p value."""
    order = np.argsort(p, kind="stable")
    raised = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return corrected
