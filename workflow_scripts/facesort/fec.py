"""The Google FEC file: three faces a row, as URL and box.

Rows differ in length (six or more annotators), so the file is read line by line: a table reader
that takes its width from the first row drops the longer ones without a word.
Source: https://research.google/resources/datasets/google-facial-expression/
"""

import csv
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from facesort.job import InputError

SLOTS = 3


class Face(NamedTuple):
    """A face of the CSV. The box is relative to the photo: 0 to 1 from its left and its top."""

    face_id: str
    url: str
    left: float
    right: float
    top: float
    bottom: float
    row: int
    slot: int


class Refused(NamedTuple):
    """A face slot of the CSV that cannot be used. ``slot`` 0 stands for the whole row."""

    row: int
    slot: int
    reason: str
    text: str


def read_slots(path: str | Path) -> Iterator[Face | Refused]:
    """Yield every face slot of every line, good or refused; blank lines yield nothing.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            for row, line in enumerate(file, start=1):
                if row == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    yield from _read_line(line, row)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror} (config: data.fec_csv)") from None


def _read_line(line: bytes, row: int) -> Iterator[Face | Refused]:
    text = line.decode("utf-8", errors="backslashreplace").rstrip("\r\n")
    try:
        # One line at a time: an unbalanced quote must not swallow the lines after it.
        cells = next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        yield Refused(row, 0, f"not comma-separated: {error}", text[:200])
        return
    if len(cells) < 5 * SLOTS:
        yield Refused(row, 0, f"{len(cells)} columns, an FEC row has at least 15", text[:200])
        return
    for slot in range(1, SLOTS + 1):
        url, *numbers = cells[5 * (slot - 1) : 5 * slot]
        url = url.strip()
        try:
            left, right, top, bottom = map(float, numbers)
        except ValueError:
            yield Refused(
                row, slot, "the box has a value that is no number", ",".join(numbers)[:200]
            )
            continue
        if reason := _fault(url, left, right, top, bottom):
            yield Refused(row, slot, reason, f"{url},{','.join(numbers)}"[:200])
            continue
        key = f"{url}\n{left!r} {right!r} {top!r} {bottom!r}"
        face_id = hashlib.sha256(key.encode("utf-8", errors="backslashreplace")).hexdigest()[:32]
        yield Face(face_id, url, left, right, top, bottom, row, slot)


def _fault(url: str, left: float, right: float, top: float, bottom: float) -> str | None:
    if not url.lower().startswith(("http://", "https://")):
        return "the URL is neither http nor https"
    if not all(map(math.isfinite, (left, right, top, bottom))):
        return "the box is not finite"
    if right <= left or bottom <= top:
        return "the box is empty or reversed"
    if left >= 1 or right <= 0 or top >= 1 or bottom <= 0:
        return "the box lies outside the photo"
    return None


def sample_faces(
    path: str | Path, size: int | None, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose distinct faces (URL and box) of an FEC file.

    Args:
        size: how many; None, or more than there are, takes all.
        seed: of the choice, which depends on the set of faces and not on the order of rows.

    Returns:
        The chosen faces (columns of ``Face``, sorted by ``face_id``) and the refused slots.

    Raises:
        InputError: if most rows are refused whole, or no face is left: not an FEC file.
    """
    faces: dict[str, Face] = {}
    refused: list[Refused] = []
    good_rows = 0
    for slot in read_slots(path):
        if isinstance(slot, Refused):
            refused.append(slot)
        else:
            faces.setdefault(slot.face_id, slot)
            good_rows = max(good_rows, slot.row)
    bad_rows = sum(slot.slot == 0 for slot in refused)
    if not faces or bad_rows > good_rows / 2:
        first = f"row {refused[0].row}: {refused[0].reason}" if refused else "it has no rows"
        raise InputError(f"{path}: not an FEC file; {first} (config: data.fec_csv)")
    ids = np.array(sorted(faces))
    if size is not None and size < len(ids):
        ids = np.sort(np.random.default_rng(seed).choice(ids, size, replace=False))
    return (
        pd.DataFrame([faces[face_id] for face_id in ids], columns=list(Face._fields)),
        pd.DataFrame(refused, columns=list(Refused._fields)),
    )
