"""FER2013: fer2013.csv with columns emotion, pixels and Usage; FER+'s votes instead where they lie.

Emotions: 0 anger, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral. Usage: Training is the
part train, PublicTest val, PrivateTest test. Pixels: grey values of a square, row by row.
Source: Goodfellow et al. 2013, https://arxiv.org/abs/1307.0414, and the contest's page at Kaggle

``fer2013new.csv`` of FER+ (Barsoum et al. 2016, https://github.com/microsoft/FERPlus) has as many
rows in the same order, each with the votes of ten people. As in its authors' reader, single votes
do not count, and an image has the emotion that more than half of the others name, or is left out.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Final

import numpy as np

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts.listing import Listing, Picture, Row, Settings, Tree
from facesort.faces.layouts.tables import Cells, read_csv
from facesort.faces.layouts.words import meaning_of, meanings, part_of
from facesort.fetch.imaging import ImageError

# The second is the same table in the archive of the competition.
TABLES: Final = ("fer2013.csv", "icml_face_data.csv")
VOTES: Final = "fer2013new.csv"
COLUMNS: Final = ("emotion", "pixels", "usage")


def fits(tree: Tree, settings: Settings) -> bool:
    return bool(tree.named(*TABLES))


def read(tree: Tree, settings: Settings) -> Listing:
    """List the rows of the table; their images are read from it later.

    Raises:
        InputError: if a column is missing, a label is none of the seven, or the votes are of other
            images.
    """
    table = settings.table or tree.only(*TABLES)
    if not table:
        raise InputError(f"{tree.tell('')}: no {' or '.join(TABLES)} in it (config: data.layout)")
    votes = tree.only(VOTES)
    where = shown(table)
    lines = read_csv(tree.root / table)
    emotion, pixels, usage = _columns(next(lines), COLUMNS, where)
    voted = _read_votes(tree.root / votes, shown(votes)) if votes else iter(())
    if votes:
        print(f"{shown(votes)}: its votes are the labels")
    kept, refused = [], []
    for line, vote in zip_longest(lines, voted):
        if line is None or (votes and vote is None):
            raise InputError(
                f"{shown(votes or '')}: not as many rows as {where}; is it of another set?"
            )
        path, fault = f"{table}:{line.row}", line.fault
        if not fault and len(line.cells) <= max(emotion, pixels, usage):
            fault = f"only {len(line.cells)} columns"
        label, of = "", None
        if vote:
            label, of, vote_fault = vote
            fault = fault or vote_fault
        if fault:
            refused.append((path, fault))
            continue
        told = line.cells[usage].strip()
        if votes and of != told:
            raise InputError(
                f"{shown(votes)}: {of} where row {line.row} of {where} is {told[:20]!r}"
            )
        kept.append((path, label or line.cells[emotion].strip(), part_of(told), line.row))
    meaning = meanings((label for _, label, _, _ in kept), settings.known("fer2013").numbers, where)
    rows = []
    for path, label, part, number in kept:
        if label not in meaning:
            raise InputError(
                f"{where}, row {number}: label {label[:40]!r} is none of {', '.join(EMOTIONS)}"
            )
        if meaning[label]:
            rows.append(Row(path, meaning[label], part=part, source=number))
        else:
            refused.append((path, f"label {label!r} is not an emotion"))
    tables = [table, votes] if votes else [table]
    return Listing(rows, refused, _pictures(tree.root / table, pixels), tables)


def _columns(header: Cells, names: Sequence[str], table: str) -> list[int]:
    columns = [name.strip().casefold() for name in header.cells]
    if missing := [name for name in names if name not in columns]:
        raise InputError(f"{table}, row 1: no column {', '.join(missing)}")
    return [columns.index(name) for name in names]


def _read_votes(path: Path, table: str) -> Iterator[tuple[str, str, str]]:
    """For each row the emotion that most people saw, its usage, and why it has no emotion."""
    lines = read_csv(path)
    header = next(lines)
    (usage,) = _columns(header, ["usage"], table)
    named = {i: m for i, name in enumerate(header.cells) if (m := meaning_of(name)) is not None}
    if set(named.values()) != {*EMOTIONS, ""}:
        raise InputError(f"{table}, row 1: no columns of the eight emotions, unknown and NF")
    for row, cells, fault in lines:
        try:
            votes = {i: float(cells[i] or 0) for i in named}
            told = cells[usage].strip()
        except (IndexError, ValueError):
            yield "", "", f"{table}, row {row}: {fault or 'votes are not numbers'}"
            continue
        votes = {i: count for i, count in votes.items() if count > 1}
        most = max(votes, key=lambda i: votes[i], default=-1)
        if not votes or not votes[most] > 0.5 * sum(votes.values()):
            yield "", told, f"no emotion has most votes ({table}, row {row})"
        elif not named[most]:
            yield "", told, f"most votes are for {header.cells[most]} ({table}, row {row})"
        else:
            yield named[most], told, ""


def _pictures(path: Path, column: int) -> Callable[[Sequence[Row]], Iterator[Picture]]:
    def pictures(rows: Sequence[Row]) -> Iterator[Picture]:
        wanted = iter(rows)
        row = next(wanted, None)
        for number, cells, _ in read_csv(path):
            if row is not None and number == row.source:
                yield partial(_square, cells[column])
                row = next(wanted, None)

    return pictures


def _square(text: str) -> np.ndarray:
    """Grey values of a square, separated by spaces, as RGB."""
    try:
        values = [int(word) for word in text.split()]
    except ValueError:
        raise ImageError("pixels are not numbers") from None
    side = math.isqrt(len(values))
    if not values or side * side != len(values):
        raise ImageError("pixels are no square", f"{len(values):,} of them")
    if min(values) < 0 or max(values) > 255:
        raise ImageError("pixels are not from 0 to 255")
    return np.array(values, np.uint8).reshape(side, side, 1).repeat(3, 2)
