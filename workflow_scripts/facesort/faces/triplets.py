"""People's comparisons of faces: which one of three looks least like the others.

A row of an FEC file has three faces, and the answers of six or more annotators. Rows on which they
agree teach the model ``triplet``, or are held out to tell how well an embedding agrees with people.
Source: Vemulapalli and Agarwala 2019, https://arxiv.org/abs/1811.11283
"""

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.common.job import InputError
from facesort.fetch.fec import COLUMNS, SLOTS, Face, Refused, parse_face, read_rows, slot_words

# How many emotions a row's faces show, by FEC's word for it, and the margin of such a triplet.
KINDS: Final = {
    "ONE_CLASS_TRIPLET": ("one", 0.1),
    "TWO_CLASS_TRIPLET": ("two", 0.2),
    "THREE_CLASS_TRIPLET": ("three", 0.2),
}
ANSWERS: Final = {"1": 0, "2": 1, "3": 2}
# Why rows are left out: what a face may lack, and the rest.
UNREADABLE, NOT_HAD, LABELLED = -1, -2, -3
WHY: Final = {
    UNREADABLE: "a face's URL or box cannot be used",
    NOT_HAD: "a face was not sampled or not fetched",
    LABELLED: "a face is also in the labelled set",
}
NO_ROW: Final = "no row of an FEC file"
NO_KIND: Final = "no triplet type"
TWICE: Final = "the same face twice"
DISAGREE: Final = "too little agreement"
CROSS: Final = "photos on both sides of the split"


def read_comparisons(
    path: str | Path, face_ids: np.ndarray, kept: np.ndarray, *, agreement: float
) -> tuple[pd.DataFrame, Counter[str]]:
    """Read the comparisons of an FEC file whose three faces are in the pool.

    Args:
        path: of the file.
        face_ids: str (N,), of the fetched faces.
        kept: int (M,), which of them are the pool, in its order.
        agreement: least share of a row's annotators that must give one answer; above one half.

    Returns:
        A row a comparison: ``row`` of the file, ``first``, ``second`` and ``odd`` (int64, rows of
        the pool; ``odd`` is the face least like the others), ``kind`` (one, two or three emotions),
        ``margin`` (float32), ``agreement`` (share of annotators who say so), ``annotators``; and
        how many rows are left out, by cause.

    Raises:
        InputError: if the file cannot be read.
    """
    places = np.full(len(face_ids), LABELLED)
    places[kept] = np.arange(len(kept))
    place_of_id = dict(zip(face_ids.tolist(), places.tolist(), strict=True))
    # Most faces stand in many rows: each is parsed once, known by its cells.
    known: dict[tuple[str, ...], int] = {}

    def place(words: tuple[str, ...], row: int, slot: int) -> int:
        if words not in known:
            face = parse_face(words, row, slot)
            known[words] = UNREADABLE
            if isinstance(face, Face):
                known[words] = place_of_id.get(face.face_id, NOT_HAD)
        return known[words]

    found, lost = [], Counter[str]()
    for row in read_rows(path):
        if isinstance(row, Refused):
            lost[NO_ROW] += 1
            continue
        number, cells = row
        faces = [place(slot_words(cells, slot), number, slot) for slot in range(1, SLOTS + 1)]
        counts = count_answers(cells[COLUMNS + 1 :])
        if len(cells) == COLUMNS:
            lost[NO_KIND] += 1
        elif isinstance(counts, str):
            lost[counts] += 1
        elif min(faces) < 0:
            lost[WHY[max(face for face in faces if face < 0)]] += 1
        elif len(set(faces)) < SLOTS:
            lost[TWICE] += 1
        elif max(counts) < agreement * sum(counts):
            lost[DISAGREE] += 1
        else:
            odd = faces.pop(counts.index(max(counts)))
            kind, margin = KINDS[cells[COLUMNS].strip()]
            share = max(counts) / sum(counts)
            found.append((number, *faces, odd, kind, margin, share, sum(counts)))
    names = ["row", "first", "second", "odd", "kind", "margin", "agreement", "annotators"]
    table = pd.DataFrame(found, columns=names)
    types = dict.fromkeys(["row", "first", "second", "odd", "annotators"], "int64")
    return table.astype({**types, "margin": "float32", "agreement": "float64"}), lost


def count_answers(cells: list[str]) -> list[int] | str:
    """How often each of the three faces was called the odd one, or why that cannot be said.

    Args:
        cells: annotators and their answers by turns; empty ones at the end do not count.
    """
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if not cells:
        return "no answers"
    if len(cells) % 2:
        return "an annotator without an answer"
    counts = [0] * SLOTS
    for cell in cells[1::2]:
        answer = ANSWERS.get(cell.strip())
        if answer is None:
            return "an answer that is not 1, 2 or 3"
        counts[answer] += 1
    return counts


def split_by_photo(
    triplets: pd.DataFrame,
    face_ids: np.ndarray,
    photos: np.ndarray,
    *,
    held_out: float,
    seed: int,
) -> np.ndarray:
    """Give every comparison its part, so that no photo stands in both.

    Comparisons are held out in the order of a seeded hash of their faces, until their photos are
    the share asked for. A hash of photos alone would hold out the third power of that share of
    comparisons: of few, none.

    Args:
        triplets: columns ``first``, ``second`` and ``odd``, rows of the pool.
        face_ids: str (M,), of the pool's faces.
        photos: str (M,), the photo of each; equal for one photo under two URLs.
        held_out: share of the comparisons' photos, in (0, 1).
        seed: of the hash. Neither the order of rows nor other rows change a comparison's hash.

    Returns:
        str (T,): "train", "held_out", or "crosses" where photos lie on both sides.
    """
    faces = triplets[["first", "second", "odd"]].to_numpy()
    hashes = pd.util.hash_array(face_ids.astype(object), hash_key=f"{seed:016d}", categorize=False)
    # Sums of the faces' hashes, modulo 2^64: the same whatever the order of the three.
    order = np.argsort(hashes[faces].sum(1), kind="stable")
    photo = np.unique(photos.astype(str), return_inverse=True)[1][faces]
    seen, first = np.unique(photo[order], return_index=True)
    new = np.zeros(photo.size, bool)
    new[first] = True
    enough = np.searchsorted(new.cumsum()[2::3], held_out * len(seen)) + 1
    away = np.zeros(seen.max(initial=0) + 1, bool)
    away[photo[order[:enough]]] = True
    count = away[photo].sum(1)
    return np.select([count == 0, count == SLOTS], ["train", "held_out"], "crosses")


def read_triplets(
    path: str | Path,
    index: pd.DataFrame,
    kept: np.ndarray,
    *,
    agreement: float,
    held_out: float,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Comparisons to learn from and to score by.

    Args:
        index: a row a fetched face: ``face_id``, and ``sha256`` of its photo.
        kept: int (M,), which of them are the pool, in its order.

    Returns:
        As ``read_comparisons``, with ``part`` ("train" or "held_out"); and a table of the rows of
        the file left out: ``cause`` and ``rows``.

    Raises:
        InputError: if the file cannot be read, or leaves nothing to learn from or to score by.
    """
    face_ids = index["face_id"].to_numpy(object)
    triplets, lost = read_comparisons(path, face_ids, kept, agreement=agreement)
    parts = split_by_photo(
        triplets,
        face_ids[kept],
        index["sha256"].to_numpy(object)[kept],
        held_out=held_out,
        seed=seed,
    )
    crosses = parts == "crosses"
    if crosses.any():
        lost[CROSS] += int(crosses.sum())
    triplets = triplets.assign(part=parts)[~crosses].reset_index(drop=True)
    causes = pd.DataFrame(lost.most_common(), columns=["cause", "rows"])
    for part, purpose in (("train", "learn from"), ("held_out", "score by")):
        if not (triplets["part"] == part).any():
            told = ", ".join(f"{cause} ({rows:,})" for cause, rows in lost.most_common(4))
            raise InputError(
                f"{path}: no comparison is left to {purpose}: {told or 'it is empty'}; use more of "
                "its faces (config: faces.sample), or set models.triplet to null"
            )
    return triplets, causes
