"""How far persons agree who named the same clustering without seeing each other's names."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

COLUMNS = ["variant", "model", "seed", "first", "second", "clusters", "agreed", "kappa"]
COLUMNS += ["agreed_by_faces", "kappa_by_faces", "first_opened", "second_opened"]


def person(path: str | Path) -> str:
    """The person that a file's name tells: seed0.Ada L..csv is by "Ada L."; "main" without one."""
    return Path(path).name.removesuffix(".csv").partition(".")[2] or "main"


def agreement(
    names: dict[str, list[str]], sizes: np.ndarray, opened: dict[str, int]
) -> pd.DataFrame:
    """Agreement of every two persons: over clusters, and over the faces in them.

    Args:
        names: of each person the emotion of each cluster.
        sizes: int (K,), faces of each cluster.
        opened: for how many clusters each had opened the page's suggestion.

    Returns:
        first, second, clusters, agreed (clusters), kappa, agreed_by_faces (share), kappa_by_faces,
        first_opened, second_opened. A kappa is NaN where both gave all clusters one and the same
        name.

    Source: Cohen 1960, doi:10.1177/001316446002000104, by scikit-learn
    """
    rows = []
    for first, second in combinations(names, 2):
        a, b = np.array(names[first]), np.array(names[second])
        same = a == b
        rows.append(
            {
                "first": first,
                "second": second,
                "clusters": len(a),
                "agreed": int(same.sum()),
                "kappa": kappa(a, b, np.ones(len(a))),
                "agreed_by_faces": float(sizes[same].sum() / sizes.sum()),
                "kappa_by_faces": kappa(a, b, sizes),
                "first_opened": opened[first],
                "second_opened": opened[second],
            }
        )
    return pd.DataFrame(rows)


def kappa(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> float:
    """Cohen's kappa, NaN where chance alone would agree on everything."""
    if len(set(a) | set(b)) == 1:
        return float("nan")
    return float(cohen_kappa_score(a, b, sample_weight=weights))


def agreement_words(table: pd.DataFrame) -> str:
    """A sentence for under Table 1; empty where nobody's names can be compared."""
    if table.empty:
        return ""
    said = [
        f"{row.variant}/{row.model}/seed{row.seed}: {row.first} and {row.second} agree on "
        f"{row.agreed} of {row.clusters} clusters, kappa {row.kappa:.2f} "
        f"({row.kappa_by_faces:.2f} by faces)"
        for row in table.itertuples()
    ]
    looked = {
        f"{row['variant']}/{row['model']}/seed{row['seed']}: {row[person]}, {row[opened]} of "
        f"{row['clusters']}"
        for row in table.to_dict("records")
        for person, opened in (("first", "first_opened"), ("second", "second_opened"))
        if row[opened]
    }
    words = "Names of several persons. " + "; ".join(said) + "."
    if looked:
        words += f" Suggestions that they had opened: {'; '.join(sorted(looked))}."
    return words
