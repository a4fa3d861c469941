"""The Google FEC file: three faces a row, each a URL and a box.

Rows differ in length (six or more annotators), so the file is read line by line: a table reader
that takes its width from the first row drops the longer ones without a word.
Source: https://research.google/resources/datasets/google-facial-expression/
"""

import csv
import hashlib
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from facesort.common.job import InputError
from facesort.common.trees import shown

SLOTS: Final = 3
COLUMNS: Final = 5 * SLOTS
TRIPLETS: Final = {"ONE_CLASS_TRIPLET", "TWO_CLASS_TRIPLET", "THREE_CLASS_TRIPLET"}
LONGEST_LINE: Final = 1_000_000
# Boxes that reach a little over the edge are real; beyond this they are no shares of a photo but,
# most likely, pixels.
FARTHEST: Final = (-1.0, 2.0)


class Face(NamedTuple):
    """A face of the file. The box is relative to the photo: 0 to 1 from its left and its top.

    ``face_id`` is 32 hexadecimal digits of the SHA-256 of URL and box. A box may reach over the
    photo's edge; its numbers stay as they were written, and the cut leaves out what is not there.
    """

    face_id: str
    url: str
    left: float
    right: float
    top: float
    bottom: float
    row: int
    slot: int


class Refused(NamedTuple):
    """A face of the file that cannot be used. ``slot`` 0 stands for the whole row."""

    row: int
    slot: int
    reason: str
    text: str


def read_faces(path: str | Path) -> Iterator[Face | Refused]:
    """Yield every face of every line, good or refused; blank lines yield nothing.

    A face that stood in an earlier line, in the same words, is yielded with its first line again.

    Raises:
        InputError: if the file cannot be read.
    """
    # Most faces stand in many rows: each is parsed once, known by its cells.
    known: dict[tuple[str, ...], Face] = {}
    for row in read_rows(path):
        if isinstance(row, Refused):
            yield row
            continue
        number, cells = row
        for slot in range(1, SLOTS + 1):
            words = slot_words(cells, slot)
            found = known.get(words) or parse_face(words, number, slot)
            if isinstance(found, Face):
                known[words] = found
            yield found


def read_rows(path: str | Path) -> Iterator[tuple[int, list[str]] | Refused]:
    """Yield number (from 1) and cells of every line, or why it is no row; nothing for blank ones.

    Raises:
        InputError: if the file cannot be read.
    """
    for number, line in numbered_lines(path, "data.fec_csv"):
        cells = _split(line)
        if isinstance(cells, str):
            text = line[:200].decode("utf-8", errors="backslashreplace")
            yield Refused(number, 0, cells, text)
        else:
            yield number, cells


def slot_words(cells: list[str], slot: int) -> tuple[str, ...]:
    """URL, left, right, top and bottom of a row's face in a slot (1 to 3), as written."""
    return tuple(cells[5 * slot - 5 : 5 * slot])


def numbered_lines(path: str | Path, key: str) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of every line that is not blank; very long ones are cut.

    Raises:
        InputError: if the file, which this key of the config names, cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            row = 0
            while line := file.readline(LONGEST_LINE):
                row += 1
                while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    rest = file.readline(LONGEST_LINE)
                    if not rest or rest.endswith(b"\n"):
                        break
                if row == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if not line.isspace() and line:
                    yield row, line
    except OSError as error:
        raise InputError(f"{shown(str(path))}: {error.strerror} (config: {key})") from None


def split_line(line: bytes) -> list[str] | str:
    """The cells of a line of comma-separated text in UTF-8, or why there are none."""
    try:
        return split_text(line.decode("utf-8"))
    except UnicodeDecodeError:
        return "not UTF-8"


def split_text(line: str, separator: str = ",") -> list[str] | str:
    """The cells of a line, or why there are none."""
    text = line.rstrip("\r\n")
    try:
        # One line at a time: an unbalanced quote must not swallow the lines after it.
        return next(csv.reader((text,), delimiter=separator, strict=True), [])
    except csv.Error as error:
        if "\r" in text:
            return "its lines end in carriage returns only, as on old Macs; save it with line feeds"
        what = {",": "comma", ";": "semicolon", "\t": "tab"}[separator]
        return f"not {what}-separated: {error}"


def _split(line: bytes) -> list[str] | str:
    """The cells of a line, or why it is no row of an FEC file."""
    if len(line) >= LONGEST_LINE:
        return f"longer than {LONGEST_LINE:,} bytes"
    cells = split_line(line)
    if isinstance(cells, str):
        return cells
    if len(cells) < COLUMNS:
        return f"{len(cells)} columns; an FEC row has {COLUMNS} or more"
    if len(cells) > COLUMNS and cells[COLUMNS].strip() not in TRIPLETS:
        return f"no triplet type in column {COLUMNS + 1}"
    return cells


def parse_face(words: tuple[str, ...], row: int, slot: int) -> Face | Refused:
    """Read URL, left, right, top and bottom as they are written."""
    url = words[0].strip()
    try:
        # Adding 0 makes -0 the same box as 0.
        left, right, top, bottom = (float(word) + 0.0 for word in words[1:])
    except ValueError:
        return Refused(row, slot, "the box is not four numbers", ",".join(words)[:200])
    if reason := _fault(url, left, right, top, bottom):
        return Refused(row, slot, reason, ",".join(words)[:200])
    key = f"{url}\n{left!r} {right!r} {top!r} {bottom!r}"
    face_id = hashlib.sha256(key.encode()).hexdigest()[:32]
    return Face(face_id, url, left, right, top, bottom, row, slot)


def _fault(url: str, left: float, right: float, top: float, bottom: float) -> str | None:
    if not url.lower().startswith(("http://", "https://")):
        return "the URL is neither http nor https"
    if not url.isprintable():
        return "the URL has control characters"
    box = (left, right, top, bottom)
    if not all(map(math.isfinite, box)):
        return "the box is not finite"
    if right <= left or bottom <= top:
        return "the box is empty or reversed"
    if min(box) < FARTHEST[0] or max(box) > FARTHEST[1]:
        return "the box is not relative to the photo"
    if left >= 1 or right <= 0 or top >= 1 or bottom <= 0:
        return "the box lies outside the photo"
    return None


def sample_faces(
    path: str | Path, size: int | None, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose distinct faces (URL and box) of an FEC file.

    Args:
        path: of the file.
        size: how many; None, or more than there are, takes all. A larger sample of the same seed
            holds the smaller ones.
        seed: of the choice, which depends on the set of faces and not on the order of rows.

    Returns:
        The chosen faces (columns of ``Face``, sorted by ``face_id``; row and slot of the first
        place in the file), and the refused ones (columns of ``Refused``).

    Raises:
        InputError: if the file cannot be read, or is no FEC file: half of its faces are refused,
            or there are none.
    """
    faces: dict[str, Face] = {}
    refused: list[Refused] = []
    good = bad = 0
    for found in read_faces(path):
        if isinstance(found, Face):
            good += 1
            faces.setdefault(found.face_id, found)
        else:
            bad += 1 if found.slot else SLOTS
            refused.append(found)
    if bad >= good:
        why = f"row {refused[0].row}: {refused[0].reason}" if refused else "it is empty"
        raise InputError(f"{shown(str(path))}: not an FEC file; {why} (config: data.fec_csv)")
    ids = np.array(sorted(faces))
    if size is not None:
        ids = np.sort(np.random.default_rng(seed).permutation(ids)[:size])
    return _frame([faces[face_id] for face_id in ids], Face), _frame(refused, Refused)


def _frame(records: Collection[Face] | Collection[Refused], kind: type) -> pd.DataFrame:
    """A table with a row a record; typed by column even when it is empty."""
    table = pd.DataFrame(list(records), columns=list(kind.__annotations__))
    return table.astype(dict(kind.__annotations__))
