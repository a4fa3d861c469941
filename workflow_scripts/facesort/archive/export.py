"""A job's tables, written from the journals of its buckets, in the order of the photos."""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facesort.archive import tables
from facesort.archive.face_reader import states
from facesort.archive.journal import Photo
from facesort.common.arrays import write_whole

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
    files: Iterable[tuple[str, Photo | str]], paths: dict[str, str], least: float
) -> Counter[str]:
    """Write the tables of a job.

    Args:
        files: path as text and the photo that the file holds, or why it is refused; sorted by path.
        paths: of the tables: found, read, refused, thumbnails, previews.
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
        for name, photo in files:
            if isinstance(photo, str):
                refused.add(name, photo)
                counts["refused"] += 1
                continue
            read.add(name, *photo[1:8], len(photo.faces))
            previews.add(name, photo.preview)
            counts["photos"] += 1
            counts["faces"] += len(photo.faces)
            if not photo.faces:
                continue
            numbers = np.stack([face.numbers for face in photo.faces])
            told = states(numbers, least)
            counts.update(told)
            numbers[told != "answered", len(tables.FOUND) :] = np.nan
            for number, (face, row) in enumerate(zip(photo.faces, numbers, strict=True)):
                at = len(tables.FOUND)
                found.add(name, number, *row[:at], told[number], *row[at:], face.seen)
                thumbnails.add(name, number, face.thumbnail)
    return counts
