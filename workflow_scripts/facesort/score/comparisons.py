"""Is a cell better than chance, or than another cell? All tests with Holm's correction."""

from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.score.cells import MODELS, VARIANTS, gather
from facesort.score.intervals import estimate, holm, labels_p, paired_p

LEVEL: Final = 0.05


def compare(
    cells: list[dict[str, Any]],
    predictions: list[pd.DataFrame],
    *,
    pairs: list[str],
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Test every model and variant against chance and majority, and chosen pairs.

    A difference counts as found if it holds both over images (the seeds being given) and over
    images and seeds (``estimate``): ``p`` is the larger of ``p_images`` and ``p_seeds``.

    Args:
        cells: of each prediction table its ``model``, ``variant`` and ``seed``.
        predictions: columns face, label, predicted; a row a test face.
        pairs: which are tested against each other: "models" (every two on one variant) and
            "variants" (every two of one model). All of them are, since to choose the best two
            first would be to look at the scores.
        resamples, seed: of the permutations.

    Returns:
        A row a test: question (chance, majority, models, variants), first, second (as
        "model, variant"; chance is equally many answers of each kind given at random; majority
        always the commonest emotion), difference of their accuracies, low, high (95%), p_images,
        p_seeds (NaN with one seed), p, p_holm (corrected for all rows).
    """
    labels = predictions[0]["label"].map(EMOTIONS.index).to_numpy()
    number = {name: place for place, name in enumerate(EMOTIONS)}
    answers = {
        key: np.stack(
            [predictions[n]["predicted"].map(number).fillna(-1).to_numpy(int) for n in ns]
        )
        for key, ns in gather(cells, predictions).items()
    }
    right = {key: (given == labels).astype(np.float64) for key, given in answers.items()}
    commonest = (labels == np.bincount(labels).argmax()).astype(np.float64)
    rows = []

    def add(question: str, first: str, second: str, values: np.ndarray, p_images: float) -> None:
        found = estimate(values)
        p_seeds = found.p if len(values) > 1 else np.nan
        rows.append(
            {
                "question": question,
                "first": first,
                "second": second,
                "difference": found.mean,
                "low": found.low,
                "high": found.high,
                "p_images": p_images,
                "p_seeds": p_seeds,
                "p": p_images if len(values) == 1 else max(p_images, p_seeds),
            }
        )

    how = {"resamples": resamples, "seed": seed}
    for key, given in answers.items():
        # How often such answers would be right of each face, were they given at random.
        luck = np.stack([np.bincount(one[one >= 0], minlength=8)[labels] for one in given])
        values = right[key] - luck / len(labels)
        add("chance", ", ".join(key), "chance", values, labels_p(labels, given, **how))
    for key in answers:
        values = right[key] - commonest
        add("majority", ", ".join(key), "majority", values, paired_p(values, **how))
    asked = {
        "models": [((a, v), (b, v)) for v in VARIANTS for a, b in combinations(MODELS, 2)],
        "variants": [((m, a), (m, b)) for m in MODELS for a, b in combinations(VARIANTS, 2)],
    }
    for question in pairs:
        for one, other in asked[question]:
            if one in right and other in right:
                values = right[one] - right[other]
                p_images = paired_p(values, **how)
                add(question, ", ".join(one), ", ".join(other), values, p_images)
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p"].to_numpy())
    return table


def ties(
    cells: list[dict[str, Any]], predictions: list[pd.DataFrame]
) -> tuple[tuple[str, str], set[tuple[str, str]]]:
    """The model and variant of the highest accuracy, and those not told apart from it.

    To pick the highest is to look at all pairs, so p values (paired, over images, and seeds if
    there are several: ``estimate``) are corrected for all of them, after Bonferroni.
    """
    right = {
        key: np.stack(
            [
                (predictions[n]["predicted"] == predictions[n]["label"]).to_numpy(np.float64)
                for n in numbers
            ]
        )
        for key, numbers in gather(cells, predictions).items()
    }
    best = max(right, key=lambda key: right[key].mean())
    pairs = len(right) * (len(right) - 1) / 2
    return best, {
        key
        for key, values in right.items()
        if key != best and estimate(right[best] - values).p * pairs >= LEVEL
    }


def verdicts(comparisons: pd.DataFrame, question: str = "chance") -> dict[tuple[str, str], str]:
    """Whether each model and variant is "above" or "below" chance, or "at" it: not told apart.

    Args:
        comparisons: of ``compare``.
        question: "majority" asks against always answering the commonest emotion.
    """
    asked = comparisons[comparisons["question"] == question]
    sides = np.where(asked["difference"] > 0, "above", "below")
    found = np.where(asked["p_holm"] < LEVEL, sides, "at")
    keys = [(first.split(", ")[0], first.split(", ")[1]) for first in asked["first"]]
    return dict(zip(keys, found.tolist(), strict=True))


def comparison_lines(comparisons: pd.DataFrame, seeds: int) -> list[str]:
    """The tests in words, a line each."""
    lines = []
    for question, reference in (
        ("chance", "guessing with the same mix of answers (chance)"),
        ("majority", "always answering the commonest emotion"),
    ):
        found = list(verdicts(comparisons, question).values())
        line = f"Better than {reference}: {found.count('above')} of {len(found)}."
        if "below" in found:
            line += f" Worse: {found.count('below')}."
        lines.append(line)
    for question, what in (
        ("models", "two models on one variant"),
        ("variants", "two variants of one model"),
    ):
        asked = comparisons["question"] == question
        if asked.any():
            differ = (asked & (comparisons["p_holm"] < LEVEL)).sum()
            lines.append(f"Pairs of {what} that differ: {differ} of {asked.sum()}.")
    how = (
        "A permutation test over images, and a t test over images and seeds, must both find it"
        if seeds > 1
        else "Permutation test against chance, else McNemar's exact test; over images, as there is "
        "one seed"
    )
    lines.append(
        f"{how}: p < {LEVEL}, corrected for all {len(comparisons)} tests (Holm). Each test is in "
        "comparisons.csv."
    )
    return lines
