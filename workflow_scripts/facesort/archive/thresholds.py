"""From which probability on a tag is given, and how often it is then right: who told that.

What comes later takes the place of what was before, tag by tag: rendered faces (``tags.csv``), and
how often their looks were right on photographed ones; for a model of the workflow, labelled faces
that it neither learnt from nor is scored on; persons' looks at this archive.
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.archive.browse_review import draws
from facesort.archive.photographed import PHOTOGRAPHED
from facesort.archive.precision import (
    FEWEST,
    PARTS,
    WANTED,
    Share,
    judged_by_others,
    share,
    threshold,
    weights_of,
)
from facesort.archive.tables import LOOKS, TAGS
from facesort.archive.tags import NAMES, may_have, probabilities
from facesort.common.emotions import EMOTIONS

SHARES: Final = ("right", "low", "high", "faces")
# Fewer looks take no tag away.
AGAINST: Final = 10
# Who told, beside what photographed.py and tags.csv say.
LABELLED: Final = "labelled faces"
LOOKED: Final = "looks at this archive"
WARNING: Final = (
    "Rendered faces set the thresholds of these looks; how often they are right was tried on "
    "photographs of others, which are not yours. Looks that were right there in fewer than 50 of "
    "100 are not given."
)
# Of thresholds.csv, after the columns of tags.csv.
MORE: Final = "looks_to_halve"


def unknown(table: pd.DataFrame) -> pd.DataFrame:
    """Of a model that nothing is known of: its looks by its probabilities as they are, from .9 on.

    Args:
        table: as of ``tags.built_in``.
    """
    table = table.copy()
    looks = list(LOOKS.values())
    table.loc[looks, ["middle", "width", "threshold"]] = 0.0, 1.0, WANTED
    table.loc[looks, [*SHARES, "found"]] = np.nan
    table.loc[looks, "told_by"] = "nobody"
    return table


def by_labels(table: pd.DataFrame, answers: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Thresholds of the looks that a model tells, by labelled faces kept for it.

    Where a look has fewer than ``FEWEST`` faces, it takes the threshold of all looks together,
    unless those few speak against it: then it is not given.

    Args:
        table: as of ``unknown``.
        answers: float (n, 8); labels: str (n,).
    """
    table = table.copy()
    best, certainty = answers.argmax(1), answers.max(1)
    right = np.array(EMOTIONS)[best] == labels
    every = threshold(certainty, right, np.ones(len(right)))
    for name, words in LOOKS.items():
        own = best == EMOTIONS.index(name)
        least = threshold(certainty[own], right[own], np.ones(own.sum()))
        few = own.sum() < FEWEST
        if few:
            least = every
        given = own & (certainty >= (np.inf if least is None else least))
        if few and given.any() and right[given].mean() < WANTED:
            least, given = None, np.zeros_like(given)
        found = share(right[given], np.ones(given.sum()))
        table.loc[words, "threshold"] = np.nan if least is None else least
        table.loc[words, [*SHARES]] = _told(found)
        table.loc[words, "found"] = right[given].sum() / max((labels == name).sum(), 1)
        table.loc[words, "told_by"] = LABELLED
    return table


def by_looks(table: pd.DataFrame, faces: pd.DataFrame, reviewed: pd.DataFrame) -> pd.DataFrame:
    """Thresholds of the tags that persons have looked at.

    The threshold becomes the least certainty from which on 90 of 100 looks are right, ``FEWEST``
    at least. Where there is none it stays, unless looks at faces that have the tag speak against
    it, ``AGAINST`` at least: then the tag is not given at all.
    Of a stratum those faces count that come no later, by draw, than the last that chance has
    chosen: others that a person came across are no random sample.

    Args:
        table: as of ``tags.built_in``.
        faces: of each answer its face: photo, face, movements, emotions as they were answered.
        reviewed: as of ``review.read_reviewed``, row for row; those of faces that are answered.
    """
    table = table.assign(**{MORE: np.nan})
    told = probabilities(faces, table)
    may = may_have(told)
    place = reviewed["stratum_place"].where(reviewed["stratum_faces"].notna())
    last = place.where(reviewed["chosen"] == "sample")
    last = last.groupby([reviewed["tag"], reviewed["stratum"]]).transform("max")
    counts = ((place <= last) & (reviewed["verdict"] != "skipped")).to_numpy()
    for at, (words, name) in enumerate(zip(TAGS, NAMES, strict=True)):
        rows = np.flatnonzero(counts & (reviewed["tag"] == words).to_numpy())
        if not len(rows):
            continue
        strata = reviewed["stratum"].to_numpy()[rows]
        weights = weights_of(strata, reviewed["stratum_faces"].to_numpy()[rows])
        certainty, right = told[name].to_numpy()[rows], (reviewed["verdict"] == "right").to_numpy()
        right, fits = right[rows], may[rows, at]
        least = table["threshold"][words]
        chosen = threshold(certainty[fits], right[fits], weights[fits])
        if chosen is None:
            given = fits & (certainty >= (np.inf if np.isnan(least) else least))
            found = share(right[given], weights[given])
            if not found.looks:
                continue
            surely = found.looks >= AGAINST and found.high < WANTED
            if surely or (found.looks >= FEWEST and found.value < WANTED):
                table.loc[words, "threshold"] = np.nan
        else:
            # A photo's faces are in one part, whatever the tag.
            photos = faces["photo"].iloc[rows[fits]]
            parts = (PARTS * draws(photos, photos.rank() * 0, "")).astype(int)
            found = judged_by_others(certainty[fits], right[fits], weights[fits], parts)
            table.loc[words, "threshold"] = chosen
        table.loc[words, [*SHARES]] = _told(found)
        table.loc[words, "found"] = np.nan
        table.loc[words, "told_by"] = LOOKED
        if not np.isnan(table["threshold"][words]):
            table.loc[words, MORE] = found.looks_to_halve()
    return table


def _told(found: Share) -> list[float]:
    return [found.value, found.low, found.high, found.looks]


def words(table: pd.DataFrame) -> str:
    """``thresholds.csv`` for reading, in Markdown."""
    lines = []
    if (table["told_by"] == PHOTOGRAPHED).any():
        lines = [f"{WARNING} Judge some of yours on browse.html, and the tags follow.", ""]
    lines += [
        "| tag | given from | right in 100 faces that have it | by how many faces | evidence |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in table.iterrows():
        at_least = "never" if np.isnan(row["threshold"]) else f"{row['threshold']:.2f}"
        shares = "not known"
        if not np.isnan(row["right"]):
            shares = "{:.0f} (between {:.0f} and {:.0f})".format(
                *(100 * row[["right", "low", "high"]])
            )
        more = row.get(MORE, np.nan)
        halve = "" if np.isnan(more) else f"; {more:.0f} more would halve the interval"
        faces = "" if np.isnan(row["faces"]) else f"{row['faces']:.0f}{halve}"
        lines.append(f"| {name} | {at_least} | {shares} | {faces} | {row['told_by']} |")
    return "\n".join(lines) + "\n"
