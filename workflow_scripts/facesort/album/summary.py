"""Of each folder: photos that stand for it, and its best head shots.

A summary is a set of photos that are good, unlike each other, and so show what the folder shows,
its looks too. They are chosen one by one by maximal marginal relevance: the next is the photo whose
goodness, less its likeness to the chosen one that is most like it, is greatest.

Source: Carbonell & Goldstein 1998, https://doi.org/10.1145/290941.291025
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.album.bursts import folders
from facesort.archive.pictures import MARGIN
from facesort.archive.tables import APPARENT, BOX
from facesort.common.emotions import EMOTIONS

# Differences of colours, and of the tags' probabilities, that halve the likeness of two photos:
# root mean squares, from 0 to 1. Random photos are .1 to .15 and .3 to .4 apart.
COLOURS, LOOKS = 0.2, 0.2
# Likeness from which on a photo is a copy.
COPY: Final = 0.98
# A photo without a face is at most so good.
FACELESS: Final = 0.5
# Pixels that the shorter side of a head shot's face must have.
HEAD: Final = 80
# album.csv: a row a chosen photo, a folder's in the order of their choice. `stands_for`: how many
# of its photos it covers best; `looks` of its faces.
ALBUM: Final = ("folder", "place", "photo", "taken", "good", "stands_for", "faces", "looks")
# headshots.csv: a row a face, a folder's best first.
HEADSHOTS: Final = ("folder", "place", "photo", "face", *BOX, "good", "look", "tags")


def goodness(photos: pd.DataFrame, faces: pd.DataFrame) -> np.ndarray:
    """How good photos are, (N,), 0 to 1: as their worst face, or as sharp as few of the folder.

    Args:
        photos: columns photo, sharpness.
        faces: as of ``faults.counted``.
    """
    worst = photos["photo"].map(faces.groupby("photo")["good"].min())
    rank = photos.groupby(folders(photos["photo"]))["sharpness"].rank(pct=True)
    return worst.fillna(FACELESS * rank).to_numpy()


def looks(photos: pd.Series, faces: pd.DataFrame) -> np.ndarray:
    """The mean probability of each tag over a photo's answered faces: (N, 13), 0 without one."""
    names = [*APPARENT, *EMOTIONS]
    answered = faces[faces["state"] == "answered"]
    means = answered.fillna(dict.fromkeys(names, 0)).groupby("photo")[names].mean()
    return means.reindex(photos).fillna(0).to_numpy(np.float32)


def choose(
    good: np.ndarray, colours: np.ndarray, shown: np.ndarray, allowed: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The photos that stand for a folder.

    Args:
        good: (N,), 0 to 1.
        colours: (N, D), as of ``likeness.read``.
        shown: (N, L), as of ``looks``.
        allowed: bool (N,), which may be chosen.
        count: how many are, at most: copies of chosen ones are not.

    Returns:
        Rows, in the order of their choice; and how many photos each of them is most like.
    """
    chosen: list[int] = []
    like = np.zeros((0, len(good)))
    for _ in range(count):
        most = like.max(axis=0, initial=0)
        left = np.flatnonzero(allowed & (most < COPY))
        if not len(left):
            break
        chosen.append(int(left[(good - most)[left].argmax()]))
        apart = _apart(colours, chosen[-1]) / COLOURS + _apart(shown, chosen[-1]) / LOOKS
        like = np.vstack([like, 2.0**-apart])
    nearest = like.argmax(axis=0) if chosen else np.zeros(0, int)
    return np.array(chosen, int), np.bincount(nearest, minlength=len(chosen))


def _apart(rows: np.ndarray, one: int) -> np.ndarray:
    """Root mean square differences of all rows of (N, D) from one of them: (N,)."""
    found: np.ndarray = np.sqrt(((rows - rows[one]).astype(np.float32) ** 2).mean(axis=1))
    return found


def summaries(
    photos: pd.DataFrame,
    faces: pd.DataFrame,
    colours: np.ndarray,
    not_best: pd.Series,
    count: int,
) -> pd.DataFrame:
    """The table ``ALBUM``.

    Args:
        photos: columns photo, taken, sharpness, faces.
        faces: as of ``faults.counted``.
        colours: of each photo, as of ``likeness.read``.
        not_best: names of photos of a series of which another is better; never chosen.
        count: photos a folder.
    """
    good, shown = goodness(photos, faces), looks(photos["photo"], faces)
    tags = faces.groupby("photo")["tags"].agg(";".join).to_dict()
    table = photos.assign(good=good, folder=folders(photos["photo"]), row=range(len(photos)))
    table["looks"] = [_each_once(tags.get(name, "")) for name in photos["photo"]]
    allowed = ~photos["photo"].isin(not_best).to_numpy()
    parts = []
    for _, part in table.sort_values(["taken", "photo"]).groupby("folder"):
        rows = part["row"].to_numpy()
        chosen, stands_for = choose(good[rows], colours[rows], shown[rows], allowed[rows], count)
        places = {"place": np.arange(1, len(chosen) + 1), "stands_for": stands_for}
        parts.append(part.iloc[chosen].assign(**places))
    return pd.concat(parts)[list(ALBUM)] if parts else pd.DataFrame(columns=list(ALBUM))


def _each_once(tags: str) -> str:
    return ";".join(dict.fromkeys(filter(None, tags.split(";"))))


def head_shots(faces: pd.DataFrame, not_best: pd.Series, count: int) -> pd.DataFrame:
    """The table ``HEADSHOTS``: large answered faces, whose crop shows no other face.

    Args:
        faces: as of ``faults.counted``.
        not_best: as of ``summaries``; they give none.
        count: faces a folder.
    """
    kept = faces[(faces["state"] == "answered") & (faces["size"] >= HEAD)]
    kept = kept[~kept["photo"].isin(not_best)]
    kept = kept[~_shows_others(kept, faces)]
    kept = kept.assign(folder=folders(kept["photo"])).sort_values(
        ["folder", "good", "photo", "face"], ascending=[True, False, True, True]
    )
    # A copy of a file gives the same numbers.
    kept = kept.drop_duplicates(["folder", *BOX, "yaw", "sharpness"])
    best = kept.groupby("folder").head(count).copy()
    best["place"] = best.groupby("folder").cumcount() + 1
    return best[list(HEADSHOTS)]


def _shows_others(faces: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
    """Whether the middle of another face lies in the square that is cut out around each."""
    columns = ["photo", "face", *BOX]
    own = faces[columns].reset_index(drop=True).reset_index(names="row")
    pairs = own[own["photo"].isin(others["photo"][others["photo"].duplicated()])]
    pairs = pairs.merge(others[columns], on="photo", suffixes=("", "_other"))
    pairs = pairs[pairs["face"] != pairs["face_other"]]
    half = MARGIN * pairs[["width", "height"]].max(axis=1) / 2
    within = np.ones(len(pairs), bool)
    for start, length in (("left", "width"), ("top", "height")):
        middle = pairs[start] + pairs[length] / 2
        other = pairs[f"{start}_other"] + pairs[f"{length}_other"] / 2
        within &= ((middle - other).abs() < half).to_numpy()
    return np.isin(np.arange(len(own)), pairs["row"][within])
