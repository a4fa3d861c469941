"""What is known of the photos of a bucket, kept on disk so that a job may be killed at any moment.

A photo's faces, thumbnails and preview are written in one SQLite transaction, so either all of them
are there or none. They are known by the photo's content (and the orientation that a sidecar tells),
so a copy, and a file that was renamed, is not analysed again. Nobody waits for the disk: a killed
process loses the few photos that it was at; a power cut may take the last ones.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np

from facesort.archive.tables import FOUND, MOVEMENTS
from facesort.common.database import connect, erase_leftovers, explaining, transaction
from facesort.common.job import InputError

# Raise it when the same photo would give other numbers: older journals are then begun anew.
VERSION: Final = 2
NUMBERS: Final = len(FOUND) + len(MOVEMENTS)
BUSY: Final = "another job is writing it; wait for it or end it"
DAMAGED: Final = "delete this file, and its photos are analysed again"
# Before XMP was read there was a table `files`: such a journal reads its files once more.
SCHEMA: Final = """
DROP TABLE IF EXISTS files;
CREATE TABLE IF NOT EXISTS about (settings TEXT, limits TEXT);
CREATE TABLE IF NOT EXISTS entries (
    file BLOB PRIMARY KEY, size INTEGER, time INTEGER, sidecar BLOB, sidecar_time INTEGER,
    content TEXT, reason TEXT, told TEXT);
CREATE TABLE IF NOT EXISTS said (
    content TEXT, at INTEGER, said TEXT, PRIMARY KEY (content, said)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS photos (
    content TEXT PRIMARY KEY, width INTEGER, height INTEGER, orientation INTEGER, turns INTEGER,
    taken INTEGER, burst TEXT, sharpness REAL, preview BLOB);
CREATE TABLE IF NOT EXISTS faces (
    content TEXT, face INTEGER, numbers BLOB, thumbnail BLOB, seen BLOB,
    PRIMARY KEY (content, face)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trying (file BLOB PRIMARY KEY, times INTEGER);
"""
TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'said'"


class File(NamedTuple):
    """A file as the listing has it; ``content`` is None of what is refused, by ``reason``.

    ``told`` is what XMP tells of it, as of ``xmp.told``, in JSON.
    """

    file: bytes
    size: int
    time: int
    sidecar: bytes
    sidecar_time: int
    content: str | None = None
    reason: str = ""
    told: str = ""


class Face(NamedTuple):
    """A face: float32 (``NUMBERS``,), its thumbnail, and what a model sees of it, if asked for."""

    numbers: np.ndarray
    thumbnail: bytes
    seen: bytes = b""


class Photo(NamedTuple):
    """A photo that was read, its columns as in ``tables.READ``."""

    content: str
    width: int
    height: int
    orientation: int
    turns: int
    taken: int | None
    burst: str
    sharpness: float
    preview: bytes
    faces: list[Face]


class Journal:
    """The journal of one bucket, held by this process alone; a context manager.

    Args:
        path: made if need be.
        settings: what a photo's numbers depend on; a journal made by others is begun anew.
        limits: what it depends on whether a file is refused; by others, refused files are tried
            again.

    Raises:
        InputError: here and from every method, if the file cannot be used.
    """

    def __init__(self, path: Path, settings: str, limits: str) -> None:
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(self.path)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                self._db.close()
                raise InputError(f"{path}: made by a newer facesort; use that one")
            known = ()
            if version == VERSION:
                known = self._db.execute("SELECT settings FROM about").fetchone() or ()
            if version and known != (settings,):
                # All but what persons have said, which no photo tells again.
                with transaction(self._db):
                    for (table,) in self._db.execute(TABLES).fetchall():
                        self._db.execute(f"DROP TABLE {table}")
                erase_leftovers(self._db)
            self._db.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")
            about = self._db.execute("SELECT limits FROM about").fetchone()
        if about != (limits,):
            with self._transaction():
                self._db.execute("DELETE FROM entries WHERE content IS NULL")
                self._db.execute("DELETE FROM trying")
                self._db.execute("DELETE FROM about")
                self._db.execute("INSERT INTO about VALUES (?, ?)", (settings, limits))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def known(self, file: File) -> File | None:
        """The file as it was last seen, if neither it nor its sidecar has changed since."""
        with self._explained():
            row = self._db.execute("SELECT * FROM entries WHERE file = ?", (file.file,)).fetchone()
        return File(*row) if row and row[:5] == file[:5] else None

    def has(self, content: str) -> bool:
        with self._explained():
            query = "SELECT 1 FROM photos WHERE content = ?"
            return self._db.execute(query, (content,)).fetchone() is not None

    @contextmanager
    def decoding(self, file: bytes) -> Iterator[int]:
        """Note that a file is being decoded; gives how often the program has ended over it."""
        note = "INSERT INTO trying VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
        with self._transaction():
            times = self._db.execute(f"{note} RETURNING times", (file,)).fetchone()[0]
        yield times - 1
        with self._transaction():
            self._db.execute("DELETE FROM trying WHERE file = ?", (file,))

    def add(self, file: File, photo: Photo | None = None) -> None:
        """Keep what became of a file, and the photo that it holds if that is not known yet."""
        with self._transaction():
            self._db.execute("REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", file)
            for said in json.loads(file.told or "{}").get("said", ()):
                row = (file.content, file.sidecar_time, json.dumps(said))
                self._db.execute("REPLACE INTO said VALUES (?, ?, ?)", row)
            if photo:
                values = ", ".join("?" * len(photo[:-1]))
                self._db.execute(f"REPLACE INTO photos VALUES ({values})", photo[:-1])
                rows = (
                    (photo.content, number, face.numbers.tobytes(), face.thumbnail, face.seen)
                    for number, face in enumerate(photo.faces)
                )
                self._db.executemany("REPLACE INTO faces VALUES (?, ?, ?, ?, ?)", rows)

    def forget_others(self, files: Iterable[bytes]) -> int:
        """Erase all files but these, and photos that none of these holds. Returns how many."""
        with self._transaction():
            self._db.execute("CREATE TEMP TABLE kept (file BLOB PRIMARY KEY)")
            self._db.executemany("INSERT INTO kept VALUES (?)", ((file,) for file in files))
            before = self._db.total_changes
            for table in ("entries", "trying"):
                self._db.execute(f"DELETE FROM {table} WHERE file NOT IN (SELECT file FROM kept)")
            held = "SELECT content FROM entries WHERE content IS NOT NULL"
            gone = self._db.execute(f"DELETE FROM photos WHERE content NOT IN ({held})").rowcount
            for table in ("faces", "said"):
                self._db.execute(f"DELETE FROM {table} WHERE content NOT IN ({held})")
            erased = self._db.total_changes > before
            self._db.execute("DROP TABLE kept")
        if erased:
            with self._explained():
                erase_leftovers(self._db)
        return gone

    def photo(self, content: str) -> Photo:
        """A photo that the journal has."""
        with self._explained():
            query = "SELECT * FROM photos WHERE content = ?"
            row = self._db.execute(query, (content,)).fetchone()
            query = "SELECT numbers, thumbnail, seen FROM faces WHERE content = ? ORDER BY face"
            rows = self._db.execute(query, (content,)).fetchall()
        faces = [Face(np.frombuffer(row[0], np.float32), *row[1:]) for row in rows]
        return Photo._make([*row, faces])

    def told(self, file: File) -> dict[str, list[Any]]:
        """What XMP tells of a file, as of ``xmp.told``; "said" is all that was ever said of it.

        So a tag that a person has taken out stays out when a sidecar is written anew. Each item
        ends with the time of its sidecar, in nanoseconds.
        """
        query = "SELECT said, at FROM said WHERE content = ? ORDER BY at"
        with self._explained():
            rows = self._db.execute(query, (file.content,)).fetchall()
        told: dict[str, list[Any]] = json.loads(file.told)
        return told | {"said": [[*json.loads(said), at] for said, at in rows]}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained(), transaction(self._db):
            yield

    def _explained(self) -> AbstractContextManager[None]:
        return explaining(self.path, BUSY, DAMAGED)
