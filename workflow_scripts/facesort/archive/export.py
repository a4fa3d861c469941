"""A job's tables, written from the journals of its buckets, in the order of the photos."""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facesort.archive import tables
from facesort.archive.analysis import Told
from facesort.archive.face_reader import states
from facesort.archive.journal import Photo
from facesort.common.arrays import write_whole
from facesort.common.trees import shown
from facesort.fetch.imaging import shown_box

# Rows that are written together.
GROUP: Final = 2_000
NUMBERS: Final = (*tables.FOUND, *tables.MOVEMENTS)


class Table:
    """A Parquet file that is written row by row; it takes its name once it is whole.

    Args:
        stack: that closes it.
    """

    def __init__(self, path: str | Path, schema: pa.Schema, stack: ExitStack) -> None:
        part = stack.enter_context(write_whole(path))
        self.schema, self.rows = schema, 0
        self._writer = stack.enter_context(pq.ParquetWriter(part, schema))
        self._columns: list[list[Any]] = [[] for _ in schema]
        stack.callback(self._flush)

    def add(self, *row: Any) -> None:
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        self.rows += 1
        if self.rows % GROUP == 0:
            self._flush()

    def _flush(self) -> None:
        if self._columns[0]:
            self._writer.write_table(pa.table(self._columns, schema=self.schema))
            self._columns = [[] for _ in self.schema]


def export(
    files: Iterable[tuple[str, Photo | str, Told]], paths: dict[str, str], least: float
) -> Counter[str]:
    """Write the tables of a job.

    Args:
        files: as of ``analyse_buckets``.
        paths: of the tables: found, read, refused, named, said, thumbnails, previews.
        least: as of ``states``.

    Returns:
        How many "photos", "refused" and "faces" there are, and faces in each state.
    """
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        found = Table(paths["found"], tables.FOUND_FACES, stack)
        read = Table(paths["read"], tables.READ, stack)
        refused = Table(paths["refused"], tables.REFUSED_FILES, stack)
        thumbnails = Table(paths["thumbnails"], tables.THUMBNAILS, stack)
        previews = Table(paths["previews"], tables.PREVIEWS, stack)
        named = Table(paths["named"], tables.NAMED, stack)
        said = Table(paths["said"], tables.SAID, stack)
        for name, photo, told in files:
            if isinstance(photo, str):
                refused.add(name, photo)
                counts["refused"] += 1
                continue
            read.add(name, *photo[1:8], len(photo.faces), _joined(told["keywords"]))
            for person, *box in told["names"]:
                named.add(name, _joined([person]), *_pixels(box, photo))
            for words, verdict, *box, time in told["said"]:
                when = datetime.fromtimestamp(time / 1e9, UTC).isoformat().replace("+00:00", "Z")
                said.add(name, -1, *_pixels(box, photo), words, verdict, "sidecar", when)
            previews.add(name, photo.preview)
            counts["photos"] += 1
            counts["faces"] += len(photo.faces)
            if not photo.faces:
                continue
            numbers = np.stack([face.numbers for face in photo.faces])
            state = states(numbers, least)
            counts.update(state)
            numbers[state != "answered", len(tables.FOUND) :] = np.nan
            for number, (face, row) in enumerate(zip(photo.faces, numbers, strict=True)):
                at = len(tables.FOUND)
                found.add(name, number, *row[:at], state[number], *row[at:], face.seen)
                thumbnails.add(name, number, face.thumbnail)
    return counts


def _joined(words: list[str]) -> str:
    """Words of others as a cell of a table."""
    return ";".join(shown(word.replace(";", ",")) for word in words)


def _pixels(box: list[float], photo: Photo) -> tuple[float, float, float, float]:
    """Left, top, width and height in the photo as it is shown, of shares as it is stored."""
    edges = shown_box((box[0], box[1], box[2], box[3]), photo.orientation)
    left, right = edges[0] * photo.width, edges[1] * photo.width
    top, bottom = edges[2] * photo.height, edges[3] * photo.height
    return left, top, right - left, bottom - top
