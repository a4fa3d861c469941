"""Series of photos of one scene, and which photo of each is the best, with the reasons.

A series is what a camera says is a burst, or photos of a folder that were taken within two seconds
of each other and are alike: time alone would put strangers together.
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.album.faults import TOLD, WEIGHTS, WORDS, whose
from facesort.faces.split import groups_of

SECONDS: Final = 2.0
# A photo is compared with so many before it; in a longer series each is like one of these.
NEAR: Final = 32
# Faces whose faults are told of one photo.
MOST_TOLD: Final = 3
# bursts.csv: a row a photo of a series, the best first. `faces` are those that count, `worst` is
# how good the worst of them is (0 to 1; empty without a face).
COLUMNS: Final = (
    *("folder", "series", "by", "rank", "of"),
    *("photo", "taken", "faces", "worst", "reasons"),
)
BY_CAMERA, BY_TIME = "the camera's burst", "time and likeness"


def folders(photos: pd.Series) -> pd.Series:
    """The folder of each photo, "" for the archive's own."""
    return pd.Series([name.rpartition("/")[0] for name in photos], photos.index, object)


def near_in_time(photos: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows of one folder that were taken within ``SECONDS``, in no burst of the camera's.

    Args:
        photos: columns photo, taken, burst.
    """
    left = photos[photos["taken"].notna() & (photos["burst"] == "")]
    left = left.assign(folder=folders(left["photo"])).sort_values(["folder", "taken", "photo"])
    rows, when = left.index.to_numpy(), left["taken"].to_numpy()
    codes = pd.factorize(left["folder"])[0]
    pairs = []
    for back in range(1, min(NEAR, len(left) - 1) + 1):
        soon = when[back:] - when[:-back] <= np.timedelta64(int(SECONDS * 1000), "ms")
        near = np.flatnonzero(soon & (codes[back:] == codes[:-back]))
        pairs.append(np.stack([rows[near], rows[near + back]]))
    first, second = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), int)
    return first, second


def series(photos: pd.DataFrame, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The series of each photo, as numbers from 0 in the order of the photos; -1 of a single one.

    Args:
        photos: columns photo, taken, burst.
        first, second: pairs of rows that are near in time and alike.
    """
    folder = folders(photos["photo"])
    in_burst = np.flatnonzero(photos["burst"] != "")
    codes = photos.iloc[in_burst].groupby([folder.iloc[in_burst], "burst"]).ngroup().to_numpy()
    starts = in_burst[np.unique(codes, return_index=True)[1]]
    labels = groups_of(
        len(photos),
        np.concatenate([first, starts[codes]]),
        np.concatenate([second, in_burst]),
    )
    # A raw file and its JPEG are one shot.
    stems = photos["photo"].str.replace(r"\.[^./]*$", "", regex=True)
    several = stems.groupby(labels).transform("nunique").to_numpy() > 1
    found = np.full(len(photos), -1)
    found[several] = pd.factorize(labels[several])[0]
    return found


def ranked(photos: pd.DataFrame, faces: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame:
    """The table ``COLUMNS``.

    Args:
        photos: columns photo, taken, burst, sharpness.
        faces: as of ``faults.counted``.
        labels: as of ``series``.
    """
    table = photos[["photo", "taken", "burst", "sharpness"]]
    table = table.assign(series=labels, folder=folders(photos["photo"]))[labels >= 0]
    by_photo = faces[faces["photo"].isin(table["photo"])].groupby("photo")
    about = by_photo["good"].agg(faces="size", worst="min", mean="mean")
    table = table.join(about, on="photo")
    table["faces"] = table["faces"].fillna(0).astype(int)
    # Who is in most photos of a series and not in this one has turned or gone.
    table["usual"] = np.ceil(table.groupby("series")["faces"].transform("median"))
    table["lacking"] = (table["usual"] - table["faces"]).clip(lower=0).astype(int)
    table.loc[table["lacking"] > 0, "worst"] = 0.0
    order = {"series": True, "worst": False, "mean": False, "sharpness": False, "photo": True}
    table = table.sort_values([*order], ascending=[*order.values()], ignore_index=True)
    by_series = table.groupby("series")
    table["rank"] = by_series.cumcount() + 1
    table["of"] = by_series["rank"].transform("size")
    table["by"] = np.where(table["burst"] != "", BY_CAMERA, BY_TIME)
    told, compared = _told(table, faces), _compared(table, faces)
    best = np.where(told != "", "the least bad: " + told, "no face has a fault")
    best = np.where(table["faces"] > 0, best, "the sharpest")
    others = np.where(told != "", told, compared)
    table["reasons"] = np.where(table["rank"] == 1, best, others)
    return table[list(COLUMNS)]


def _told(table: pd.DataFrame, faces: pd.DataFrame) -> np.ndarray:
    """What is plainly wrong with each photo's faces, the worst first; "" if nothing is."""
    names = [name for name in WEIGHTS if name != "unsmiling"]
    bad = faces[(faces[names] >= TOLD).any(axis=1)].sort_values(["photo", "good"])
    bad = bad.groupby("photo").head(MOST_TOLD)
    faulty = bad[names].to_numpy() >= TOLD
    words = [
        f"{whose(place, of)} {' and '.join(WORDS[names[at]][0] for at in np.flatnonzero(row))}"
        for place, of, row in zip(bad["place"], bad["of"], faulty, strict=True)
    ]
    joined = pd.Series(words, bad["photo"], object).groupby(level=0).agg("; ".join)
    of_faces = joined.reindex(table["photo"], fill_value="")
    told = []
    for few, wrong in zip(table["lacking"], of_faces, strict=True):
        fewer = f"{few} face{'s' if few > 1 else ''} fewer than in most of the series"
        told.append("; ".join(filter(None, (fewer if few else "", wrong))))
    return np.array(told, object)


def _compared(table: pd.DataFrame, faces: pd.DataFrame) -> list[str]:
    """What most sets each photo's worst face against the same face of the best of its series."""
    best = table.groupby("series")[["photo", "faces"]].transform("first")
    worst = faces.loc[faces.groupby("photo")["good"].idxmin()].set_index("photo")
    worst = worst.reindex(table["photo"])
    places = np.minimum(worst["place"].to_numpy(float), best["faces"] - 1)
    keys = pd.MultiIndex.from_arrays([best["photo"], places])
    same = faces.set_index(["photo", "place"]).reindex(keys)
    names = list(WEIGHTS)
    more = worst[names].to_numpy(float) - same[names].to_numpy(float)
    more = np.nan_to_num(more * list(WEIGHTS.values()))
    words = []
    about = zip(worst["place"], worst["of"], more, best["faces"], strict=True)
    for place, of, row, faces_of_best in about:
        if np.isnan(of):
            words.append("shows no face" if faces_of_best else "less sharp than the best")
        elif row.max() <= 0:
            words.append("hardly differs from the best")
        else:
            told = WORDS[names[int(row.argmax())]][1]
            words.append(f"{whose(int(place), int(of))} {told} than in the best")
    return words
