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


def best_models(comparisons: pd.DataFrame, table: pd.DataFrame) -> set[tuple[str, str]]:
    """Model and variant of those found better than every other model on their variant."""
    found = comparisons[comparisons["p_holm"] < LEVEL]
    better = {
        (row["first"], row["second"]) if row["difference"] > 0 else (row["second"], row["first"])
        for row in found[found["question"] == "models"].to_dict("records")
    }
    best = set()
    for variant, rows in table.groupby("variant"):
        for model in rows["model"]:
            others = [other for other in rows["model"] if other != model]
            if others and all((f"{model}, {variant}", f"{o}, {variant}") in better for o in others):
                best.add((model, str(variant)))
    return best


def comparison_lines(comparisons: pd.DataFrame, seeds: int) -> list[str]:
    """The tests in words."""
    found = comparisons["p_holm"] < LEVEL
    up = found & (comparisons["difference"] > 0)
    lines = []
    for question, reference in (
        ("chance", "as many answers of each kind given at random"),
        ("majority", "always answering the commonest emotion"),
    ):
        asked = comparisons["question"] == question
        names = "; ".join(comparisons.loc[asked & up, "first"]) or "none"
        lines.append(f"Better than {reference}: {names} ({(asked & up).sum()} of {asked.sum()}).")
        if below := "; ".join(comparisons.loc[asked & found & ~up, "first"]):
            lines.append(f"Worse than that: {below}.")
    for question, what in (
        ("models", "two models on one variant"),
        ("variants", "two variants of one model"),
    ):
        asked = comparisons["question"] == question
        if asked.any():
            lines.append(f"Of {asked.sum()} pairs of {what}, {(asked & found).sum()} differ.")
    how = (
        "by permutation over images, and over images and seeds (t)"
        if seeds > 1
        else "over images (permutation against chance, else McNemar's exact test), there being one "
        "seed"
    )
    lines.append(
        f"Each at p < {LEVEL} {how}, corrected for all {len(comparisons)} tests after Holm; "
        "figures in comparisons.csv. Bold is a model found better than every other on its variant."
    )
    return lines
