"""Where probabilities become tags.

``tags.csv`` has a row a tag, and may be edited: the threshold from which on it is given and, of
what is apparent, the movements whose mean strength tells it, the strength at which it is as likely
as not, and how fast its probability rises there (a logistic curve). These numbers are not
calibrated on any labelled face: they were set by what the movements mean, and by a look at some
faces that show one and some that do not. So a probability of .9 is not yet "right in 90 of 100".
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.archive.tables import APPARENT, LOOKS, TAGS, UNSURE
from facesort.faces import facs

TABLE: Final = Path(__file__).with_suffix(".csv")


def table() -> pd.DataFrame:
    """A row a tag of ``TAGS``, indexed by its words."""
    return pd.read_csv(TABLE, index_col="tag").loc[list(TAGS)]


def apparent(strengths: pd.DataFrame) -> pd.DataFrame:
    """Probabilities of what is apparent: N rows, a column each of ``APPARENT``.

    Args:
        strengths: N rows, a column each of the movements; NaN of faces that are not answered.
    """
    every, rows, found = facs.table(), table(), {}
    for name, words in zip(APPARENT, TAGS, strict=False):
        columns = facs.columns(every.loc[str(rows["movements"][words]).split()])
        strength = strengths[columns].to_numpy(np.float64).mean(axis=1)
        middle, width = float(rows["middle"][words]), float(rows["width"][words])
        found[name] = 1 / (1 + np.exp((middle - strength) / width))
    return pd.DataFrame(found, index=strengths.index)


def tag(probabilities: pd.DataFrame, emotions: bool) -> pd.DataFrame:
    """The tags of faces: columns ``tags``, joined by ";", and ``look``, as in ``tables.FACES``.

    Args:
        probabilities: N rows, a column each of ``APPARENT`` and of the emotions; NaN of faces that
            are not answered.
        emotions: whether emotions are told at all.
    """
    thresholds = table()["threshold"]
    answered = probabilities[list(APPARENT)].notna().all(axis=1).to_numpy()
    given = {
        words: (probabilities[name] >= thresholds[words]).to_numpy()
        for words, name in zip(TAGS, APPARENT, strict=False)
    }
    look = np.full(len(probabilities), "", object)
    if emotions:
        told = probabilities[list(LOOKS)].to_numpy()
        # An emotion is told if it is likelier than all others, and likely enough.
        best = np.where(np.isnan(told), -1, told).argmax(1) if len(told) else np.zeros(0, int)
        looks = np.array(list(LOOKS.values()), object)[best]
        sure = answered & (told.max(1, initial=-np.inf) >= thresholds[looks].to_numpy())
        look = np.where(sure, looks, np.where(answered, UNSURE, ""))
        given |= {words: sure & (looks == words) for words in LOOKS.values()}
    joined = [
        ";".join(words for words, has in zip(given, row, strict=True) if has)
        for row in np.stack(list(given.values()), 1)
    ]
    return pd.DataFrame({"tags": joined, "look": look}, index=probabilities.index)
