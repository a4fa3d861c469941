"""What has been fetched so far, kept on disk so that a job may be killed at any moment.

A photo's crops are appended to a file, then told of in one SQLite transaction with its ledger row,
so either all of them are there or none. Nobody waits for the disk: a killed process loses nothing.
A power cut may take the last photos, or crops that are told of; checksums find those.

Photos are kept in a fixed number of files, buckets, chosen by host. A job that has some of the
hosts uses their buckets alone, so jobs run side by side whatever their number, and what one of them
has fetched lies where any later one looks for it.
"""

import errno
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, Self

import numpy as np

from facesort.common.database import connect, erase_leftovers, explained, transaction
from facesort.common.job import InputError
from facesort.common.open_files import used_up
from facesort.fetch.urls import host_of, photo_key

# Raise it when the same photo would give other pixels: older files are then begun anew.
VERSION: Final = 3
BUSY: Final = "another job is fetching into it; wait for it or end it"
DAMAGED: Final = "delete this file, and the photos of its hosts are fetched again"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS urls (
    url TEXT PRIMARY KEY, outcome TEXT, status INTEGER, attempts INTEGER, bytes INTEGER,
    sha256 TEXT, width INTEGER, height INTEGER, error TEXT, fetched_at TEXT, final_url TEXT);
CREATE TABLE IF NOT EXISTS crops (
    face_id TEXT PRIMARY KEY, sha256 TEXT, width INTEGER, height INTEGER, place INTEGER,
    checksum INTEGER, url TEXT);
"""
# Crops outlive their row: of a photo that is no longer there, or has other bytes now.
PHOTOS: Final = """
SELECT url, final_url, sha256 FROM urls
UNION SELECT url, NULL, sha256 FROM crops WHERE url IS NOT NULL
"""
BUCKETS: Final = 32
# Of an open bucket: SQLite's two, and that of the pixels.
FILES: Final = 3
# Values asked for in one query.
BATCH: Final = 500


class Entry(NamedTuple):
    """A URL's row in the ledger.

    Attributes:
        outcome: "fetched", "failed", or "excluded" (our own decision: robots.txt, noai header,
            exclusion list).
        status: of the last HTTP answer; None without one.
        attempts: tries made by the last job that asked; redirects do not count.
        bytes, sha256: of the body.
        width, height: of the photo, in pixels.
        error: the cause in a few fixed words, then perhaps a colon and details; None if fetched.
        fetched_at: when it was written, as ISO 8601 in UTC; set by the journal.
        final_url: where redirects ended; None without any, and of what older versions fetched.
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
    fetched_at: str | None = None
    final_url: str | None = None


class Crop(NamedTuple):
    """A stored face; ``pixels`` is uint8 (size, size, 3), the rest is about its photo."""

    face_id: str
    sha256: str
    width: int
    height: int
    pixels: np.ndarray


def bucket_of(host: str) -> int:
    """The bucket of a host's photos: 0 to ``BUCKETS`` - 1, the same on every machine."""
    return zlib.crc32(host.encode()) % BUCKETS


def is_left_out(url: str, end: str | None, excluded: Collection[str]) -> bool:
    """Whether a photo is excluded by its URL, or by that where its redirects ended.

    Args:
        excluded: keys, as of ``photo_key``.
    """
    return photo_key(url) in excluded or photo_key(end or "") in excluded


def buckets_of(shard: int, shards: int) -> range:
    """The buckets of one of several jobs that share the hosts out."""
    return range(shard, BUCKETS, shards)


class Journal:
    """The faces of one size in a folder; a context manager, safe to call from threads.

    Args:
        folder: made if need be.
        size: side of a face, in pixels.
        buckets: that this job uses; no other may use them meanwhile.

    Raises:
        InputError: here and from every method, if a file cannot be used: another job holds it, it
            is damaged, the disk is full.
    """

    def __init__(
        self, folder: str | Path, size: int, buckets: Collection[int] = range(BUCKETS)
    ) -> None:
        self.size, self.buckets = size, buckets
        self._bytes = 3 * size * size
        self.folder = Path(folder) / f"{size}px"
        self._lock = Lock()
        self._files: dict[int, _Bucket] = {}
        for bucket in buckets:
            if self._path(bucket).exists():
                self._file(bucket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def files_to_come(self) -> int:
        """How many more files this job may have to open."""
        return FILES * (len(self.buckets) - len(self._files))

    def _path(self, bucket: int) -> Path:
        return self.folder / f"{bucket:02d}.sqlite"

    def _file(self, bucket: int) -> "_Bucket":
        """The file of a bucket, made when it is first written to."""
        if bucket not in self.buckets:
            raise ValueError(f"bucket {bucket} is another job's")
        with self._lock:
            if bucket not in self._files:
                self._files[bucket] = _Bucket(self._path(bucket), self._bytes)
            return self._files[bucket]

    def add(self, entry: Entry, crops: dict[str, np.ndarray]) -> None:
        """Keep what became of a URL, and its faces by ``face_id``: uint8 (size, size, 3) each."""
        self.add_all([(entry, crops)])

    def add_all(self, photos: Iterable[tuple[Entry, dict[str, np.ndarray]]]) -> None:
        """Keep what became of some URLs; those of one bucket in one transaction.

        Each call of SQLite lets another thread run, and then waits for its turn: so few are made.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        by_bucket: dict[int, list[tuple[Entry, dict[str, np.ndarray]]]] = {}
        for photo in photos:
            by_bucket.setdefault(bucket_of(host_of(photo[0].url)), []).append(photo)
        for bucket, some in by_bucket.items():
            file = self._file(bucket)
            entries, rows = [], []
            for entry, crops in some:
                entries.append(entry._replace(fetched_at=now))
                for face_id, pixels in crops.items():
                    data = np.ascontiguousarray(pixels).data.cast("B")
                    about = (entry.sha256, entry.width, entry.height)
                    place, checksum = file.append(data), zlib.crc32(data)
                    rows.append((face_id, *about, place, checksum, entry.url))
            with file.transaction() as db:
                _replace(db, "urls", entries)
                for start in range(0, len(rows), BATCH):
                    _replace(db, "crops", rows[start : start + BATCH])

    def drop(self, url: str, face_ids: Iterable[str]) -> None:
        """Forget a photo and erase its faces; their bytes are overwritten."""
        file = self._file(bucket_of(host_of(url)))
        with file.transaction() as db:
            db.execute("DELETE FROM urls WHERE url = ?", (url,))
            for face_id in face_ids:
                erased = "DELETE FROM crops WHERE face_id = ? RETURNING place"
                for (place,) in db.execute(erased, (face_id,)).fetchall():
                    file.write(bytes(self._bytes), place)

    def photos(self) -> Iterator[tuple[str, str | None, str | None]]:
        """URL, where its redirects ended and sha256 of each photo; a URL may have had several."""
        for file in self._files.values():
            with file.transaction() as db:
                rows = db.execute(PHOTOS).fetchall()
            yield from rows

    def erase(self, excluded: Collection[str], kept: Collection[str]) -> None:
        """Erase photos and their faces, so that no byte of them is left.

        Args:
            excluded: as of ``is_left_out``.
            kept: ``face_id`` of faces of other photos, which stay.
        """
        for file in self._files.values():
            file.erase(excluded, kept)

    def forget_lost(self) -> None:
        """Forget what became of the URLs that gave no photo, so that they are asked for again."""
        for file in self._files.values():
            with file.transaction() as db:
                db.execute("DELETE FROM urls WHERE outcome != 'fetched'")

    def entries(self, urls: Iterable[str]) -> dict[str, Entry]:
        """What became of URLs; those not asked for yet are missing."""
        found = self._select("SELECT * FROM urls WHERE url", ((url, url) for url in urls))
        return {row[0]: Entry(*row) for row in found}

    def stored(self, faces: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Which of some faces, given as ``face_id`` and URL, are stored: sha256 of their photos."""
        found = self._select("SELECT face_id, sha256 FROM crops WHERE face_id", faces)
        return {row[0]: row[1] for row in found}

    def crops(self, faces: Iterable[tuple[str, str]]) -> dict[str, Crop]:
        """Stored faces, asked for by ``face_id`` and URL."""
        urls = dict(faces)
        found = {}
        columns = "face_id, sha256, width, height, place, checksum"
        rows = self._select(f"SELECT {columns} FROM crops WHERE face_id", urls.items())
        for face_id, sha256, width, height, place, checksum in rows:
            file = self._file(bucket_of(host_of(urls[face_id])))
            data = file.read(place)
            if zlib.crc32(data) != checksum:
                damaged = file.forget_damaged()
                raise InputError(
                    f"{file.path.with_suffix('.crops')}: {damaged} faces are damaged; run again, "
                    "and their photos are fetched again"
                )
            pixels = np.frombuffer(data, np.uint8).reshape(self.size, self.size, 3)
            found[face_id] = Crop(face_id, sha256, width, height, pixels)
        return found

    def _select(self, query: str, keys: Iterable[tuple[str, str]]) -> Iterator[tuple[Any, ...]]:
        """Rows of keys, each given with the URL that tells its bucket."""
        by_bucket: dict[int, list[str]] = {}
        for key, url in keys:
            by_bucket.setdefault(bucket_of(host_of(url)), []).append(key)
        for bucket, values in by_bucket.items():
            if bucket not in self._files:
                continue
            for start in range(0, len(values), BATCH):
                part = values[start : start + BATCH]
                marks = ", ".join("?" * len(part))
                with self._files[bucket].transaction() as db:
                    rows = db.execute(f"{query} IN ({marks})", part).fetchall()
                yield from rows


def _replace(db: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows in one statement."""
    marks = f"({', '.join('?' * len(rows[0]))})"
    values = [value for row in rows for value in row]
    db.execute(f"REPLACE INTO {table} VALUES {', '.join([marks] * len(rows))}", values)


class _Bucket:
    """One SQLite file, and one of the pixels that it tells of; held by this process alone.

    Args:
        size: of a crop, in bytes.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self._lock = Lock()
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(self.path)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                self._db.close()
                raise InputError(f"{self.path}: made by a newer facesort; use that one")
            if version not in (0, VERSION):
                self._db.close()
                self.path.unlink()
                self._db = connect(self.path)
            self._db.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")
            for table, column in (("urls", "final_url"), ("crops", "url")):
                columns = [row[1] for row in self._db.execute(f"PRAGMA table_info({table})")]
                if column not in columns:  # begun before there was such a column
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")
            self._pixels = os.open(self.path.with_suffix(".crops"), os.O_RDWR | os.O_CREAT, 0o666)
            # What lies beyond was never told of, or by a database that is gone.
            last = "SELECT coalesce(max(place) + ?, 0) FROM crops"
            self._end: int = self._db.execute(last, (size,)).fetchone()[0]
            os.ftruncate(self._pixels, self._end)

    def close(self) -> None:
        self._db.close()
        os.close(self._pixels)

    def append(self, data: memoryview) -> int:
        """Write at the end of the pixels' file; safe beside other threads. Returns the place."""
        with self._lock:
            place, self._end = self._end, self._end + len(data)
        self.write(data, place)
        return place

    def write(self, data: bytes | memoryview, place: int) -> None:
        try:
            if os.pwrite(self._pixels, data, place) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise InputError(f"{self.path.with_suffix('.crops')}: {error.strerror}") from None

    def read(self, place: int) -> bytes:
        return os.pread(self._pixels, self.size, place)

    def erase(self, excluded: Collection[str], kept: Collection[str]) -> None:
        """As of ``Journal.erase``."""
        with self.transaction() as db:
            photos = db.execute(PHOTOS).fetchall()
            gone = [(url, digest) for url, end, digest in photos if is_left_out(url, end, excluded)]
            if not gone:
                return
            urls = {url for url, _ in gone}
            redirected = {digest for url, digest in gone if photo_key(url) not in excluded}
            db.executemany("DELETE FROM urls WHERE url = ?", [(url,) for url in urls])
            crops = "SELECT face_id, url, sha256, place FROM crops"
            told = set()
            for face_id, url, digest, place in db.execute(crops).fetchall():
                # Older versions did not keep the URL.
                unknown = url is None and (face_id not in kept or digest in redirected)
                if url in urls or unknown:
                    db.execute("DELETE FROM crops WHERE face_id = ?", (face_id,))
                else:
                    told.add(place)
            # Also what a kill has left, or a face that was stored anew.
            for place in range(0, self._end, self.size):
                if place not in told:
                    self.write(bytes(self.size), place)
        with self._explained():
            erase_leftovers(self._db)

    def forget_damaged(self) -> int:
        """Forget the crops whose checksums are wrong. Returns how many."""
        with self.transaction() as db:
            rows = db.execute("SELECT face_id, place, checksum FROM crops").fetchall()
            bad = [(row[0],) for row in rows if zlib.crc32(self.read(row[1])) != row[2]]
            db.executemany("DELETE FROM crops WHERE face_id = ?", bad)
        return len(bad)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The database, for statements that count all together or not at all."""
        with self._explained(), transaction(self._db) as held:
            yield held

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: {explained(error, BUSY, DAMAGED)}") from None
        except OSError as error:
            raise InputError(f"{self.path.parent}: {used_up(error) or error.strerror}") from None
