"""Whether clusters follow expression at all, whatever they are called.

Asked of the clusters, not of their names: a page on which they are named must neither change with
the names nor tell them. And asked of labelled faces that are never scored: who reads it and then
names has not looked at those that are.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from facesort.cluster.kmeans import Clustering
from facesort.common.arrays import read_index

# Below .05, since it is asked of every cell.
LEVEL: Final = 0.01
# What a title then ends with, and what that means.
TITLE: Final = " (clusters at chance)"
WORDS: Final = (
    "Labelled faces of every emotion fall into these clusters alike: "
    "a cluster's name tells little of its faces."
)


def clusters_at_chance(
    clustering: Clustering, index: str | Path | None, split: str | Path | None
) -> bool:
    """Whether the clusters tell nothing of the emotions, as far as unscored labelled faces show.

    Args:
        index, split: of the labelled faces; without any, nothing is known, and the answer is no.
    """
    if not index or not split:
        return False
    labels = read_index(index)["label"].to_numpy(str)
    part = read_index(split, rows=len(labels))["part"]
    unscored = part.isin(["naming", "train"]).to_numpy()
    return association_p(clustering.labelled[unscored], labels[unscored]) >= LEVEL


def association_p(groups: np.ndarray, labels: np.ndarray) -> float:
    """p value of groups, (n,), that have nothing to do with the labels, (n,): Pearson's chi2."""
    return float(chi2_contingency(pd.crosstab(groups, labels)).pvalue)
