"""Where what was measured becomes probabilities, and probabilities become tags.

``tags.csv`` has a row a tag, and may be edited. A logistic curve turns what is measured into the
tag's probability: of what is apparent the mean strength of some movements, of a look the log odds
that the label-free answers give it. From the threshold on the tag is given; without one it never
is. Both were told by rendered faces, ``right`` of whom show what the tag says (low to high: 95%
interval; ``faces``: how many had it), ``found`` of all that do so
(tests/benchmarks/archive_tags_on_rendered_faces.py). Curves of closed eyes and of frowns were set
by hand, by a look at some faces: rendered ones hardly frown, and narrow their eyes less than people
in photographs do (docs/archive.md).
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.archive.tables import APPARENT, LOOKS, TAGS, UNSURE
from facesort.faces import facs

TABLE: Final = Path(__file__).with_suffix(".csv")
# What each tag is measured by, in the order of ``TAGS``.
NAMES: Final = (*APPARENT, *LOOKS)
LEAST: Final = 1e-6


def built_in() -> pd.DataFrame:
    """``tags.csv``, a row a tag of ``TAGS``, indexed by its words."""
    return pd.read_csv(TABLE, index_col="tag").loc[list(TAGS)]


def measured(faces: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """What tags are told by: N rows, a column each of ``NAMES``; NaN of faces not answered.

    Args:
        faces: N rows, a column each of the movements, and of the emotions, as they were answered.
        table: as of ``built_in``.
    """
    every = facs.table()
    found = {}
    for name, words in zip(APPARENT, TAGS, strict=False):
        columns = facs.columns(every.loc[str(table["movements"][words]).split()])
        found[name] = faces[columns].to_numpy(np.float64).mean(axis=1)
    told = np.clip(faces[list(LOOKS)].to_numpy(np.float64), LEAST, 1 - LEAST)
    odds = np.log(told / (1 - told))
    return pd.DataFrame(found, index=faces.index).assign(**dict(zip(LOOKS, odds.T, strict=True)))


def probabilities(faces: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The probability of each tag: N rows, a column each of ``NAMES``.

    Each is told by itself, so those of the looks need not add up to 1.
    """
    seen = measured(faces, table)
    middle, width = table["middle"].to_numpy(), table["width"].to_numpy()
    return 1 / (1 + np.exp(np.clip((middle - seen) / width, -50, 50)))


def may_have(told: pd.DataFrame) -> np.ndarray:
    """Which tags faces may have: bool (N, ``TAGS``). Of the looks it is the likeliest alone."""
    looks = told[list(LOOKS)].to_numpy()
    may = told.notna().to_numpy(copy=True)
    at = np.where(np.isnan(looks), -1, looks).argmax(1) if len(told) else np.zeros(0, int)
    may[:, len(APPARENT) :] &= np.arange(len(LOOKS)) == at[:, None]
    return may


def tag(told: pd.DataFrame, table: pd.DataFrame, said: np.ndarray | None = None) -> pd.DataFrame:
    """The tags of faces: columns ``tags``, joined by ";", and ``look``, as in ``tables.FACES``.

    Args:
        told: as of ``probabilities``; NaN of faces that are not answered, and of all looks where
            emotions are not told.
        table: as of ``built_in``.
        said: float (N, ``TAGS``), what persons said: 1 right, 0 wrong, NaN nothing. They have the
            last word.
    """
    least = table["threshold"].fillna(np.inf).to_numpy()
    given = may_have(told) & (np.nan_to_num(told.to_numpy(), nan=-1) >= least)
    answered = told[list(APPARENT)].notna().all(axis=1).to_numpy()
    if said is not None:
        looks = said[:, len(APPARENT) :]
        # Who says what a face looks like says that it looks like nothing else.
        given[:, len(APPARENT) :] &= ~(looks == 1).any(axis=1, keepdims=True)
        given = np.where(answered[:, None] & ~np.isnan(said), said == 1, given)
    words = np.array([*TAGS], object)
    joined = [";".join(words[row]) for row in given]
    has_look = given[:, len(APPARENT) :]
    first = words[len(APPARENT) :][has_look.argmax(1)] if len(told) else words[:0]
    told_of = answered & told[list(LOOKS)].notna().any(axis=1).to_numpy()
    look = np.where(has_look.any(axis=1), first, np.where(told_of, UNSURE, ""))
    return pd.DataFrame({"tags": joined, "look": look}, index=told.index)
