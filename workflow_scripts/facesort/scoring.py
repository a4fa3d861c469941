"""Predictions for the scored faces, and how good they are."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from facesort.emotions import EMOTIONS
from facesort.job import InputError


def scored_predictions(
    index: pd.DataFrame, part: pd.Series, groups: np.ndarray, names: Sequence[str], named_by: str
) -> pd.DataFrame:
    """Give every scored face the name of its group. Faces of no other part are in the answer.

    Args:
        index: a row a labelled face, with columns ``path`` and ``label``.
        part: its part of the split; only "test" is scored.
        groups: int (faces,), a cluster or a predicted class for each.
        names: entry g names group g: an emotion, or "mixed" for none.
        named_by: "automatic", "person", or "classifier" where groups are predicted classes.

    Returns:
        A row a scored face, in the order of ``index``: face (its row in ``index``), path, label,
        group, predicted, named_by.

    Raises:
        InputError: if no face is in the part "test", or the inputs differ in length.
    """
    if not len(index) == len(part) == len(groups):
        raise InputError(
            f"labelled faces: {len(index)} in the index, {len(part)} in the split, {len(groups)} "
            "in the model's answers; delete results/labelled and rerun"
        )
    rows = np.flatnonzero(part.to_numpy() == "test")
    if not len(rows):
        raise InputError("labelled faces: none is in the part test; raise split.test in the config")
    group = np.asarray(groups)[rows]
    return pd.DataFrame(
        {
            "face": rows.astype(np.int32),
            "path": index["path"].to_numpy()[rows],
            "label": index["label"].to_numpy()[rows],
            "group": group.astype(np.int32),
            "predicted": np.asarray(names, dtype=object)[group],
            "named_by": named_by,
        }
    )


def confusion(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Count faces by true emotion (row) and predicted emotion (column).

    Returns:
        int64 (8, 9), in the order of ``EMOTIONS``; the last column is "mixed", no emotion.
    """
    emotions = pd.Index(EMOTIONS)
    true = emotions.get_indexer(pd.Index(labels))
    guess = emotions.get_indexer(pd.Index(predicted))
    if (true < 0).any():
        raise ValueError("a label is none of the eight emotions")
    width = len(EMOTIONS) + 1
    # The indexer says -1 for what is no emotion.
    cells = true * width + np.where(guess < 0, width - 1, guess)
    return np.bincount(cells, minlength=len(EMOTIONS) * width).reshape(len(EMOTIONS), width)


def scores(predictions: pd.DataFrame) -> dict[str, float]:
    """Measure predictions.

    Args:
        predictions: from ``scored_predictions``.

    Returns:
        n_test; accuracy; balanced_accuracy (mean recall) and macro_f1 (mean F1) over the emotions
        that occur among the labels, an emotion never predicted having F1 = 0; oracle_accuracy,
        of ``best_naming_accuracy``.
    """
    labels = predictions["label"].to_numpy()
    counts = confusion(labels, predictions["predicted"].to_numpy())
    hits = counts.diagonal().astype(float)
    true, guessed = counts.sum(axis=1), counts.sum(axis=0)[: len(EMOTIONS)]
    there = true > 0
    return {
        "n_test": len(predictions),
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float((hits[there] / true[there]).mean()),
        "macro_f1": float((2 * hits[there] / (true + guessed)[there]).mean()),
        "oracle_accuracy": best_naming_accuracy(labels, predictions["group"].to_numpy()),
    }


def best_naming_accuracy(labels: np.ndarray, groups: np.ndarray) -> float:
    """Accuracy if each group had its commonest true label as its name.

    It peeks at the scored labels, and so is the bound of every naming, not a result.
    """
    table = pd.crosstab(groups, labels)
    return float(table.to_numpy().max(axis=1).sum() / len(labels))


def commonest_label_share(labels: np.ndarray) -> float:
    """Accuracy of always answering the commonest label."""
    return float(pd.Series(labels).value_counts(normalize=True).iloc[0])


def bootstrap_accuracy(correct: Sequence[np.ndarray], resamples: int, seed: int) -> np.ndarray:
    """Bootstrap the accuracy of each cell over seeds and images together.

    Each resample draws the images with replacement, the same draw for all cells, and each cell's
    seeds with replacement, and takes the mean: images and seeds are crossed, not nested
    (Owen 2007, doi:10.1214/07-AOAS122).

    Args:
        correct: for each cell bool (seeds, images), the same images in all.
        resamples: how many.
        seed: of the draws.

    Returns:
        float64 (cells, resamples).
    """
    images = correct[0].shape[1]
    stacked = np.concatenate(correct).astype(np.float32)
    generator = np.random.default_rng(seed)
    by_seed = np.empty((resamples, len(stacked)))
    step = max(1, 2_000_000 // images)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = generator.integers(images, size=(count, images))
        drawn += images * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * images).reshape(count, images)
        # Sums of whole numbers below 2**24, so exact in float32 in any order of adding.
        by_seed[start : start + count] = times.astype(np.float32) @ stacked.T / images
    means = np.empty((len(correct), resamples))
    column = 0
    for cell, rows in enumerate(correct):
        seeds = len(rows)
        # A generator of its own for each number of seeds: a cell's interval does not depend on
        # which other cells are in the table.
        draws = np.random.default_rng([seed, seeds]).integers(seeds, size=(resamples, seeds))
        own = by_seed[:, column : column + seeds]
        means[cell] = np.take_along_axis(own, draws, axis=1).mean(axis=1)
        column += seeds
    return means
