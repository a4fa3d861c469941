"""Scores of predictions, and of groups that have no names."""

from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, f1_score, normalized_mutual_info_score

from facesort.common.emotions import EMOTIONS

# How often labels are dealt out anew.
DEALS: Final = 100


def score(labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """Score one cell's predictions of the test faces.

    Args:
        labels: str (n,), true emotions.
        predicted: str (n,), predicted emotions; "mixed" is never right.
        groups: int (n,), cluster or predicted class of each face.

    Returns:
        accuracy, balanced_accuracy (mean recall), macro_f1 (both over the emotions that occur),
        and oracle_accuracy: accuracy under the best possible names for the groups, each taking
        the most frequent true label in it; oracle_balanced_accuracy: balanced accuracy under the
        names that are best for it. Both peek at the scored labels.
    """
    present = [emotion for emotion in EMOTIONS if (labels == emotion).any()]
    oracle = sum(
        np.unique(labels[groups == group], return_counts=True)[1].max()
        for group in np.unique(groups)
    )
    # The same for balanced accuracy: each group takes the emotion of which it holds most.
    shares = [[(groups[labels == e] == g).mean() for e in present] for g in np.unique(groups)]
    best = np.argmax(shares, axis=1)
    balanced = sum(row[place] for row, place in zip(shares, best, strict=True)) / len(present)
    return {
        "accuracy": float((labels == predicted).mean()),
        "balanced_accuracy": float(
            np.mean([(predicted[labels == emotion] == emotion).mean() for emotion in present])
        ),
        "macro_f1": float(
            f1_score(labels, predicted, labels=present, average="macro", zero_division=0)
        ),
        "oracle_accuracy": float(oracle / len(labels)),
        "oracle_balanced_accuracy": float(balanced),
    }


def score_groups(labels: np.ndarray, groups: np.ndarray, seed: int) -> dict[str, float]:
    """How well groups follow the emotions, whatever they are called. All of it peeks at the labels.

    Args:
        labels: str (n,), true emotions.
        groups: int (n,), cluster or predicted class of each face.
        seed: of the shuffled labels.

    Returns:
        oracle_one_to_one_accuracy: accuracy under the best names of which none is given twice.
        oracle_by_chance: mean ``oracle_accuracy`` over labels dealt out anew. It exceeds chance,
        since the best of names fits noise too.
        nmi, ari: normalised mutual information and adjusted Rand index.
    """
    kinds, label = np.unique(labels, return_inverse=True)
    group = np.unique(groups, return_inverse=True)[1]
    generator = np.random.default_rng(seed)
    count = len(labels)
    table = _crossed(group, label, len(kinds))
    rows, columns = linear_sum_assignment(table, maximize=True)
    dealt = [_crossed(group, generator.permutation(label), len(kinds)) for _ in range(DEALS)]
    return {
        "oracle_one_to_one_accuracy": float(table[rows, columns].sum() / count),
        "oracle_by_chance": float(np.mean([t.max(1).sum() for t in dealt]) / count),
        "nmi": float(normalized_mutual_info_score(labels, groups)),
        "ari": float(adjusted_rand_score(labels, groups)),
    }


def score_draws(labels: np.ndarray, names: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """How the scores vary with the faces that name the groups.

    Args:
        labels: str (n,), true emotions.
        names: str (draws, K), the groups' names by draws of naming faces.
        groups: int (n,), the group of each face, below K.

    Returns:
        renamed_accuracy and renamed_balanced_accuracy: means over draws; with ``_low`` and
        ``_high``, the middle 95% of them.
    """
    kinds, label = np.unique(labels, return_inverse=True)
    # Faces by group and emotion tell all: no draw need look at each face.
    table = _crossed(groups, label, len(kinds))
    counts = table.sum(0)
    right = names[:, : len(table), None] == kinds
    recalls = (right * table).sum(1) / counts
    scores = {
        "renamed_accuracy": recalls @ counts / len(labels),
        "renamed_balanced_accuracy": recalls.mean(1),
    }
    return {
        f"{name}{end}": float(figure)
        for name, draws in scores.items()
        for end, figure in (
            ("", draws.mean()),
            ("_low", np.quantile(draws, 0.025)),
            ("_high", np.quantile(draws, 0.975)),
        )
    }


def _crossed(group: np.ndarray, label: np.ndarray, kinds: int) -> np.ndarray:
    """Faces by group and label: int (groups, kinds)."""
    cells = (int(group.max()) + 1) * kinds
    return np.bincount(group * kinds + label, minlength=cells).reshape(-1, kinds)
