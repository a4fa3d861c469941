"""The photos of a sample and their faces, in a private database on disk instead of in memory.

A sample may name more photos than fit; whatever the number, a job holds a few at a time. SQLite
deletes the database when it is closed, or when the process ends in whatever way.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from facesort.common.job import unreadable
from facesort.fetch.imaging import Box
from facesort.fetch.journal import bucket_of
from facesort.fetch.urls import host_of

BATCH: Final = 1000
BOX: Final = ("left", "right", "top", "bottom")
SCHEMA: Final = """
CREATE TABLE faces (row INTEGER PRIMARY KEY, face_id TEXT, url TEXT, left REAL, right REAL,
    top REAL, bottom REAL, sha256 TEXT);
CREATE TABLE photos (row INTEGER PRIMARY KEY, url TEXT, sha256 TEXT);
CREATE TABLE queue (place INTEGER PRIMARY KEY, host TEXT, url TEXT, attempts INTEGER);
CREATE TABLE hosts (place INTEGER PRIMARY KEY, host TEXT);
"""


class Wanted(NamedTuple):
    """A photo of the sample.

    Attributes:
        face_ids, boxes: of its faces, in the sample's order.
        sha256: that its bytes must have; None if any will do.
    """

    url: str
    face_ids: list[str]
    boxes: list[Box]
    sha256: str | None


class WorkList:
    """The photos of a sample, and queues by host of those that are still to be asked for.

    Safe to call from threads; a context manager.

    Args:
        sample: Parquet file with a row a face: face_id, url, left, right, top, bottom, and
            perhaps the photo's sha256.
        buckets: only photos of hosts in these buckets of the journal; None for all.

    Attributes:
        faces, photos: how many.

    Raises:
        InputError: if the file cannot be read.
    """

    def __init__(self, sample: str | Path, buckets: Collection[int] | None = None) -> None:
        self._lock = Lock()
        # The empty name stands for a temporary file that has no name.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;"
            + SCHEMA
        )
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO faces VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                face
                for face in _read(sample)
                if buckets is None or bucket_of(host_of(face[2])) in buckets
            ),
        )
        self._db.execute("CREATE INDEX faces_by_url ON faces (url)")
        self._db.execute(
            "INSERT INTO photos SELECT min(row), url, max(sha256) FROM faces GROUP BY url"
        )
        self._db.execute("COMMIT")
        self.faces: int = self._db.execute("SELECT count(*) FROM faces").fetchone()[0]
        self.photos: int = self._db.execute("SELECT count(*) FROM photos").fetchone()[0]

    def __enter__(self) -> "WorkList":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def wanted(self, url: str) -> Wanted:
        """A photo of the sample by its URL."""
        return self.with_faces([url])[0]

    def batches(self, by_url: bool = False) -> Iterator[list[Wanted]]:
        """All photos, some at a time, in the order of their first faces or of their URLs."""
        key = "url" if by_url else "row"
        last: str | int = "" if by_url else -1
        if by_url:
            self._db.execute("CREATE INDEX IF NOT EXISTS photos_by_url ON photos (url)")
        while True:
            with self._lock:
                rows = self._db.execute(
                    f"SELECT {key}, url FROM photos WHERE {key} > ? ORDER BY {key} LIMIT {BATCH}",
                    (last,),
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield self.with_faces([url for _, url in rows])

    def with_faces(self, urls: Collection[str]) -> list[Wanted]:
        """Photos of the sample by their URLs, in that order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT url, face_id, left, right, top, bottom, sha256 FROM faces "
                f"WHERE url IN ({', '.join('?' * len(urls))}) ORDER BY row",
                tuple(urls),
            ).fetchall()
        photos: dict[str, Wanted] = {}
        for url, face_id, *box, sha256 in rows:
            photo = photos.setdefault(url, Wanted(url, [], [], sha256))
            photo.face_ids.append(face_id)
            photo.boxes.append((box[0], box[1], box[2], box[3]))
        return [photos[url] for url in urls]

    def enqueue(self, urls: Iterable[str]) -> None:
        """Put photos at the end of their hosts' queues."""
        with self._lock:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO queue (host, url, attempts) VALUES (?, ?, 0)",
                ((host_of(url), url) for url in urls),
            )
            self._db.execute("COMMIT")

    def sort_hosts(self) -> None:
        """Make the list of hosts that ``host_after`` goes through, when all are queued."""
        with self._lock:
            self._db.executescript(
                "CREATE INDEX queue_by_host ON queue (host, place);"
                "INSERT INTO hosts (host) SELECT host FROM queue GROUP BY host ORDER BY min(place)"
            )

    def most_connections(self, per_host: int) -> int:
        """How many connections could be open at once with so many a host, robots.txt's beside."""
        with self._lock:
            row: tuple[int] = self._db.execute(
                "SELECT coalesce(sum(min(photos, ?) + 1), 0) FROM "
                "(SELECT count(*) AS photos FROM queue GROUP BY host)",
                (per_host,),
            ).fetchone()
        return row[0]

    def host_after(self, place: int) -> tuple[int, str] | None:
        """The next host with a queue, and its place in the list; None at the end."""
        with self._lock:
            row: tuple[int, str] | None = self._db.execute(
                "SELECT place, host FROM hosts WHERE place > ? ORDER BY place LIMIT 1", (place,)
            ).fetchone()
        return row

    def dequeue(self, host: str, most: int) -> list[tuple[str, int]]:
        """Take the first photos off a host's queue: URL and attempts made so far."""
        with self._lock:
            rows = self._db.execute(
                "SELECT place, url, attempts FROM queue WHERE host = ? ORDER BY place LIMIT ?",
                (host, most),
            ).fetchall()
            self._db.executemany("DELETE FROM queue WHERE place = ?", [(row[0],) for row in rows])
        return [(url, attempts) for _, url, attempts in rows]

    def requeue(self, url: str, attempts: int) -> None:
        """Put a photo behind all others of its host."""
        with self._lock:
            self._db.execute(
                "INSERT INTO queue (place, host, url, attempts) "
                "VALUES ((SELECT coalesce(max(place), 0) + 1 FROM queue), ?, ?, ?)",
                (host_of(url), url, attempts),
            )


def sample_batches(sample: str | Path) -> Iterator[pa.Table]:
    """Read a sample some rows at a time.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        with pq.ParquetFile(sample) as file:
            for batch in file.iter_batches(BATCH):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        raise unreadable(sample, "a readable Parquet file", error) from None


def _read(sample: str | Path) -> Iterator[tuple[Any, ...]]:
    """Rows for the table of faces."""
    row = 0
    for table in sample_batches(sample):
        columns = [table[name].to_pylist() for name in ("face_id", "url", *BOX)]
        known = "sha256" in table.column_names
        columns.append(table["sha256"].to_pylist() if known else [None] * len(table))
        for face in zip(*columns, strict=True):
            yield (row, *face)
            row += 1
