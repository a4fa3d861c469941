"""Of each folder: photos that stand for it, and its best head shots.

A summary is a set of photos that are good, unlike each other, and together show what the folder
shows, its looks too. Facility location does all three at once: each photo of the folder is worth
as much as the chosen one that covers it best, by how alike the two are and how good that one is.
The sum is monotone and submodular, so the greedy choice reaches 1 - 1/e of the best possible
(Nemhauser, Wolsey & Fisher 1978, https://doi.org/10.1007/BF01588971; of collections of pictures:
Tschiatschek et al. 2014, https://papers.nips.cc/paper/5415).
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.album.bursts import folders
from facesort.archive.pictures import MARGIN
from facesort.archive.tables import APPARENT, BOX
from facesort.common.emotions import EMOTIONS

# In larger folders so many photos stand for all, evenly in time; and so many of the best are tried.
MOST: Final = 2000
# Mean difference of colours (0 to 1), and of the looks' probabilities, at which two photos are half
# alike.
COLOURS, LOOKS = 0.12, 0.15
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
        good: (N,), 0 to 1; the photos in order of time.
        colours: (N, D), as of ``likeness.read``.
        shown: (N, L), as of ``looks``.
        allowed: bool (N,), which may be chosen.
        count: how many are, at most.

    Returns:
        Rows, in the order of their choice; and how many photos each of them covers best.
    """
    every = np.unique(np.linspace(0, len(good) - 1, min(len(good), MOST)).astype(int))
    tried = np.flatnonzero(allowed)
    tried = np.sort(tried[np.argsort(-good[tried], kind="stable")[:MOST]])
    apart = _apart(colours[every], colours[tried]) / COLOURS
    apart += _apart(shown[every], shown[tried]) / LOOKS
    # Whoever is not good at all still stands for itself.
    worth = 2.0**-apart * (0.01 + good[tried])
    covered = np.zeros(len(every))
    chosen: list[int] = []
    for _ in range(min(count, len(tried))):
        gain = np.maximum(worth - covered[:, None], 0).sum(axis=0)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        covered = np.maximum(covered, worth[:, chosen[-1]])
    best = worth[:, chosen].argmax(axis=1) if chosen else np.zeros(0, int)
    stands_for = np.bincount(best, minlength=len(chosen)) * (len(good) / max(len(every), 1))
    return tried[chosen], np.round(stands_for).astype(int)


def _apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square differences of the rows of (N, D) and (M, D): (N, M)."""
    first, second = first.astype(np.float32), second.astype(np.float32)
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2 * first @ second.T
    return np.sqrt(np.maximum(squares, 0) / first.shape[1])


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
