"""Scores of predictions, and their intervals."""

import numpy as np
from sklearn.metrics import f1_score

from facesort.emotions import EMOTIONS


def score(labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """Score one cell's predictions of the test faces.

    Args:
        labels: str (n,), true emotions.
        predicted: str (n,), predicted emotions; "mixed" is never right.
        groups: int (n,), cluster or predicted class of each face.

    Returns:
        accuracy, balanced_accuracy (mean recall), macro_f1 (both over the emotions that occur),
        and oracle_accuracy: accuracy under the best possible names for the groups, each taking
        the most frequent true label in it. That peeks at the scored labels.
    """
    present = [emotion for emotion in EMOTIONS if (labels == emotion).any()]
    oracle = sum(
        np.unique(labels[groups == group], return_counts=True)[1].max()
        for group in np.unique(groups)
    )
    return {
        "accuracy": float((labels == predicted).mean()),
        "balanced_accuracy": float(
            np.mean([(predicted[labels == emotion] == emotion).mean() for emotion in present])
        ),
        "macro_f1": float(
            f1_score(labels, predicted, labels=present, average="macro", zero_division=0)
        ),
        "oracle_accuracy": float(oracle / len(labels)),
    }


def accuracy_interval(correct: np.ndarray, *, resamples: int, seed: int) -> tuple[float, float]:
    """95% interval of mean accuracy: percentile bootstrap over seeds and images.

    Args:
        correct: bool (seeds, n), whether each test face was right with each seed. Both axes are
            drawn anew with replacement; with one seed the interval covers images alone.
    """
    generator = np.random.default_rng(seed)
    seeds, images = correct.shape
    means = np.empty(resamples)
    step = max(1, 2_000_000 // images)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        seed_times = _times_drawn(generator, seeds, count)
        image_times = _times_drawn(generator, images, count)
        hits = ((seed_times @ correct.astype(np.int64)) * image_times).sum(1)
        means[start : start + count] = hits / (seeds * images)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _times_drawn(generator: np.random.Generator, size: int, resamples: int) -> np.ndarray:
    """How often each of ``size`` things is drawn in ``size`` draws: int64 (resamples, size).

    Counting draws is many times faster than ``Generator.multinomial``.
    """
    drawn = generator.integers(size, size=(resamples, size)) + size * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * size).reshape(resamples, size)
