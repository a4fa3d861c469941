"""What was written to which sidecar, and what it held before: by this everything can be undone.

A row is on the disk before its sidecar is written, so a killed run leaves a sidecar that the ledger
knows: as it was, or as it is to be.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple, Self

from facesort.archive.xmp import parse
from facesort.common.database import connect, erase_leftovers, explaining, transaction
from facesort.sidecars.merging import Wrote, canonical, taken_out

BUSY: Final = "another run writes or undoes sidecars; wait for it or end it"
DAMAGED: Final = "what was written is then known only from the sidecars"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sidecars (
    path BLOB PRIMARY KEY, photo TEXT, root BLOB, before BLOB, began TEXT, previous TEXT,
    after TEXT, wrote TEXT) WITHOUT ROWID;
"""


class Row(NamedTuple):
    """A sidecar that holds something of ours.

    Attributes:
        path: absolute.
        photo: its path as text.
        root: the folder outside which nothing is written.
        before: what it held without anything of ours; None if there was no file.
        began: then, the digest of the XMP that it started from, canonicalised.
        previous, after: digests of what it held just before it was last written, and since then.
        wrote: as ``merging.Wrote``, in JSON.
    """

    path: bytes
    photo: str
    root: bytes
    before: bytes | None
    began: str | None
    previous: str | None
    after: str | None
    wrote: str

    def untouched(self, held: bytes | None) -> bool:
        """Whether nobody has changed it since: it is as we wrote it, or as we were about to."""
        return digest(held) in (self.after, self.previous)

    def left(self, held: bytes | None) -> bytes | None:
        """What is left of a sidecar without anything of ours; None if it then is no more.

        Raises:
            XmpError: if somebody has changed it, and ours cannot be taken out.
        """
        if held == self.before or self.untouched(held):
            return self.before
        if held is None:
            return None
        rest = taken_out(held, self.written())
        # Made by us, and nobody has put anything into it.
        return None if digest(canonical(parse(rest))) == self.began else rest

    def written(self) -> Wrote:
        return {
            name: (made, every, own) for name, (made, every, own) in json.loads(self.wrote).items()
        }


def digest(held: bytes | None) -> str | None:
    return None if held is None else hashlib.sha256(held).hexdigest()


class Ledger:
    """The ledger, held by this process alone; a context manager.

    Raises:
        InputError: here and from every method, if the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(path)
            # A row counts once it is on the disk.
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def get(self, path: bytes) -> Row | None:
        with self._explained():
            row = self._db.execute("SELECT * FROM sidecars WHERE path = ?", (path,)).fetchone()
        return Row(*row) if row else None

    def knows(self, root: bytes) -> bool:
        """Whether there is a row of this folder."""
        with self._explained():
            found = self._db.execute("SELECT 1 FROM sidecars WHERE root = ? LIMIT 1", (root,))
            return found.fetchone() is not None

    def paths(self) -> list[bytes]:
        with self._explained():
            return [path for (path,) in self._db.execute("SELECT path FROM sidecars ORDER BY 1")]

    def change(self, rows: Iterable[Row], gone: Iterable[bytes] = ()) -> None:
        """Add or replace rows, and forget others; all at once."""
        with self._explained(), transaction(self._db):
            self._db.executemany("REPLACE INTO sidecars VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.executemany("DELETE FROM sidecars WHERE path = ?", ((path,) for path in gone))

    def erase_leftovers(self) -> None:
        """Leave no trace of rows that are forgotten."""
        with self._explained():
            erase_leftovers(self._db)

    def _explained(self) -> AbstractContextManager[None]:
        return explaining(self.path, BUSY, DAMAGED)
