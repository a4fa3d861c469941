"""What has been fetched so far, kept on disk so that a job may be killed at any moment.

One SQLite file a face size: a photo's crops and its ledger row are written in one transaction, so
either all of them are there or none. Write-ahead logging spares the wait for the disk at every
photo: a killed process loses nothing, a power cut the last photos, which are then fetched again.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd

from facesort.job import InputError

# Raise it when the same photo would give other pixels: older files are then begun anew.
VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS urls (
    url TEXT PRIMARY KEY, outcome TEXT, status INTEGER, attempts INTEGER, bytes INTEGER,
    sha256 TEXT, width INTEGER, height INTEGER, error TEXT, fetched_at TEXT);
CREATE TABLE IF NOT EXISTS crops (
    face_id TEXT PRIMARY KEY, sha256 TEXT, width INTEGER, height INTEGER, pixels BLOB);
"""
LEDGER: Final = {
    "url": "str",
    "outcome": "str",
    "status": "Int64",
    "attempts": "Int64",
    "bytes": "Int64",
    "sha256": "str",
    "width": "Int64",
    "height": "Int64",
    "error": "str",
    "fetched_at": "datetime64[us, UTC]",
}
BATCH: Final = 200


@dataclass(frozen=True)
class Entry:
    """A URL's row in the ledger, without the time.

    Attributes:
        outcome: "fetched", "failed", or "excluded" (our own decision: robots.txt, noai header,
            exclusion list).
        status: of the last HTTP answer; None without one.
        attempts: tries made by the last job that asked; redirects do not count.
        bytes, sha256: of the body.
        width, height: of the photo, in pixels.
        error: the cause in a few fixed words, then perhaps a colon and details; None if fetched.
    """

    url: str
    outcome: str
    status: int | None = None
    attempts: int = 0
    bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    error: str | None = None


class Crop(NamedTuple):
    """A stored face; ``pixels`` is uint8 (size, size, 3), the rest is about its photo."""

    face_id: str
    sha256: str
    width: int
    height: int
    pixels: np.ndarray


class Journal:
    """The file of faces of one size in a folder; a context manager, safe to call from threads.

    Raises:
        InputError: here and from every method, if the file cannot be used: another job holds it,
            it is damaged, the disk is full.
    """

    def __init__(self, folder: str | Path, size: int) -> None:
        self.size = size
        self.path = Path(folder) / f"faces_{size}px.sqlite"
        self._lock = Lock()
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connect()
            if self._db.execute("PRAGMA user_version").fetchone()[0] not in (0, VERSION):
                self._db.close()
                self.path.unlink()
                self._connect()
            self._db.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")

    def _connect(self) -> None:
        self._db = sqlite3.connect(
            self.path, timeout=1, isolation_level=None, check_same_thread=False
        )
        # One process at a time; without shared memory, the log also works on network file systems.
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "page_size = 16384",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "secure_delete = ON",
        ):
            self._db.execute(f"PRAGMA {pragma}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise InputError(
                    f"{self.path}: another job is fetching into it; wait for it or end it"
                ) from None
            raise InputError(
                f"{self.path}: {error}; if the disk is not full, delete this file: all is then "
                "fetched anew"
            ) from None
        except OSError as error:
            raise InputError(f"{self.path.parent}: {error.strerror}") from None

    def add(self, entry: Entry, crops: dict[str, np.ndarray]) -> None:
        """Keep what became of a URL, and its faces by ``face_id``: uint8 (size, size, 3) each."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        about = (entry.sha256, entry.width, entry.height)
        with self._explained():
            self._db.execute("BEGIN")
            self._db.execute(
                f"REPLACE INTO urls VALUES ({', '.join('?' * len(LEDGER))})", (*astuple(entry), now)
            )
            self._db.executemany(
                "REPLACE INTO crops VALUES (?, ?, ?, ?, ?)",
                [(face_id, *about, pixels.tobytes()) for face_id, pixels in crops.items()],
            )
            self._db.execute("COMMIT")

    def crop_ids(self) -> set[str]:
        """The ``face_id`` of every stored face."""
        with self._explained():
            return {row[0] for row in self._db.execute("SELECT face_id FROM crops")}

    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Outcome and error of every URL."""
        with self._explained():
            rows = self._db.execute("SELECT url, outcome, error FROM urls").fetchall()
        return {url: (outcome, error) for url, outcome, error in rows}

    def drop(self, face_ids: Collection[str]) -> None:
        """Erase faces; their bytes are overwritten."""
        with self._explained():
            self._db.executemany(
                "DELETE FROM crops WHERE face_id = ?", [(face_id,) for face_id in face_ids]
            )

    def forget_lost(self) -> None:
        """Forget what became of the URLs that gave no photo, so that they are asked for again."""
        with self._explained():
            self._db.execute("DELETE FROM urls WHERE outcome != 'fetched'")

    def crops(self, face_ids: Sequence[str]) -> Iterator[Crop]:
        """Read stored faces, a few at a time, in the order asked for."""
        shape = (self.size, self.size, 3)
        for start in range(0, len(face_ids), BATCH):
            wanted = face_ids[start : start + BATCH]
            marks = ", ".join("?" * len(wanted))
            with self._explained():
                rows = self._db.execute(
                    f"SELECT * FROM crops WHERE face_id IN ({marks})", wanted
                ).fetchall()
            found = {row[0]: row for row in rows}
            for face_id in wanted:
                _, sha256, width, height, pixels = found[face_id]
                faces = np.frombuffer(pixels, np.uint8).reshape(shape)
                yield Crop(face_id, sha256, width, height, faces)

    def ledger(self, urls: Collection[str]) -> pd.DataFrame:
        """A row a URL, in order of URL; columns and types as in ``LEDGER``."""
        wanted = set(urls)
        with self._explained():
            rows = self._db.execute("SELECT * FROM urls ORDER BY url")
            table = pd.DataFrame([row for row in rows if row[0] in wanted], columns=list(LEDGER))
        table["fetched_at"] = pd.to_datetime(table["fetched_at"], utc=True, format="ISO8601")
        return table.astype(LEDGER)
