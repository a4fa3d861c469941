"""The labelled set: read from whatever layout it has into one array and one table.

How sets lie on disk, and what their labels mean, is in ``layouts/``.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.common.arrays import create_array, open_array
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, Progress
from facesort.common.trees import shown
from facesort.faces.layouts import list_images
from facesort.faces.layouts.listing import Listing, Picture, Row, Settings, Tree
from facesort.fetch.folder import as_text
from facesort.fetch.imaging import ImageError, resize

BATCH: Final = 256
WARNINGS: Final = 10


def list_labelled(folder: str | Path, settings: Settings) -> Listing:
    """List the images of a labelled set, those that are to be used and those that are not.

    Raises:
        InputError: naming folder, row or key of the config: as ``layouts.list_images``, or if there
            are fewer than two emotions, or no relFCs to compare.
    """
    tree = Tree(folder)
    listing = list_images(tree, settings)
    listing.refused += tree.refused
    if tree.refused:
        some = "{}: {}".format(*map(shown, tree.refused[0]))
        print(f"warning: {tree.tell('')}: {len(tree.refused):,} are left out, such as {some}")
    least = settings.min_relfcs
    if least is not None:
        if all(math.isnan(row.relFCs) for row in listing.rows):
            raise InputError(
                f"{folder}: no relFCs in what is read; set data.min_relfcs to null, or "
                "data.label_from to labels.csv if they are there"
            )
        unsure = [
            (row.path, f"relFCs {row.relFCs:g} is not {least:g} or more")
            for row in listing.rows
            if not row.relFCs >= least
        ]
        listing.rows = _without(folder, listing.rows, unsure)
        listing.refused += unsure
    had = sorted({row.label for row in listing.rows})
    if len(had) < 2:
        first = "; {}: {}".format(*map(shown, listing.refused[0])) if listing.refused else ""
        raise InputError(
            f"{folder}: only images of {had[0] if had else 'no emotion'}{first}; at least two "
            "emotions are needed (config: data.labelled)"
        )
    _tell_others(tree, listing)
    return listing


def _without(folder: str | Path, rows: list[Row], lost: Sequence[tuple[str, str]]) -> list[Row]:
    """The rows that are left; an emotion that was there must not get lost with the others."""
    paths = {path for path, _ in lost}
    left = [row for row in rows if row.path not in paths]
    if missing := sorted({row.label for row in rows} - {row.label for row in left}):
        gone = {row.path for row in rows if row.label in missing}
        path, why = next(each for each in lost if each[0] in gone)
        raise InputError(
            f"{folder}: no readable image of {', '.join(missing)} is left; {shown(path)}: {why} "
            "(config: data)"
        )
    return left


def _tell_others(tree: Tree, listing: Listing) -> None:
    """Say which emotions the set has not, and which of its files have no part in it."""
    if missing := [e for e in EMOTIONS if e not in {row.label for row in listing.rows}]:
        print(f"{tree.tell('')}: has no {', '.join(missing)}")
    known = {*listing.tables, *(path for path, _ in listing.refused)}
    known |= {str(row.source or row.path) for row in listing.rows}
    if others := [path for path in tree.files if path not in known]:
        some = f"{len(others):,} other files, such as {shown(others[0])}"
        print(f"{tree.tell('')}: {some}, are not read")


def read_images(
    pictures: Iterable[Picture], size: int, workers: int
) -> Iterator[tuple[np.ndarray, str] | ImageError]:
    """Read pictures in order, some at a time in memory.

    Yields:
        For each the whole picture resized to uint8 (size, size, 3) RGB, and the SHA-256 of its
        pixels before; or why it could not be read.
    """

    def read(picture: Picture) -> tuple[np.ndarray, str] | ImageError:
        try:
            image = picture()
        except ImageError as error:
            return error
        digest = hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()
        return resize(image, size), digest

    waiting = iter(pictures)
    with ThreadPoolExecutor(workers) as pool:
        while batch := list(islice(waiting, BATCH)):
            yield from pool.map(read, batch)


def read_labelled(
    folder: str | Path, settings: Settings, size: int, workers: int, faces_path: str | Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a labelled set into one array.

    Args:
        size: side of the faces in pixels; the whole image, or face, is resized to a square.
        workers: threads that decode.
        faces_path: for uint8 (faces, size, size, 3), RGB, in the order of the index.

    Returns:
        The array's index: path (as ``as_text`` gives it; relative, "/"), folder, label,
        relFCs (NaN if unknown), part (the set's own: train, val, test, or None), digest (SHA-256 of
        the decoded pixels). And what was left out: path, reason.

    Raises:
        InputError: as ``list_labelled``, or if an emotion has no image that can be read.
    """
    listing = list_labelled(folder, settings)
    rows = listing.rows
    unreadable: list[tuple[str, str]] = []
    digests: list[str] = []
    good: list[int] = []
    # Room for all, since few are unreadable as a rule; if any is, the others are copied together.
    room = Path(faces_path).with_suffix(".all.npy")
    progress = Progress(len(rows), "labelled faces")
    try:
        with create_array(room, (len(rows), size, size, 3), "uint8") as everything:
            for row, found in enumerate(read_images(listing.pictures(rows), size, workers)):
                if isinstance(found, ImageError):
                    unreadable.append((rows[row].path, str(found)))
                    if len(unreadable) <= WARNINGS:
                        print(f"warning: {folder}/{shown(rows[row].path)}: left out, {found}")
                else:
                    everything[row], digest = found
                    digests.append(digest)
                    good.append(row)
                progress.update(1, refused=len(unreadable))
        progress.close()
        if len(good) + len(unreadable) != len(rows):
            raise InputError(f"{folder}: a table got shorter while it was read; run again")
        rows = _without(folder, rows, unreadable)
        if unreadable:
            everything = open_array(room)
            with create_array(faces_path, (len(good), size, size, 3), "uint8") as out:
                for start in range(0, len(good), BATCH):
                    out[start : start + BATCH] = everything[good[start : start + BATCH]]
        else:
            room.replace(faces_path)
    finally:
        room.unlink(missing_ok=True)
    index = pd.DataFrame(
        {
            "path": [as_text(row.path) for row in rows],
            "folder": [as_text(row.path.rpartition("/")[0]) for row in rows],
            "label": [row.label for row in rows],
            "relFCs": np.array([row.relFCs for row in rows], "float64"),
            "part": pd.Series([row.part for row in rows], dtype="str"),
            "digest": digests,
        }
    )
    left_out = [(as_text(path), shown(why)) for path, why in listing.refused + unreadable]
    return index, pd.DataFrame(left_out, columns=["path", "reason"]).astype("str")
