"""Photos that are left out of an archive (``archive.exclude``): never opened, or not beyond a hash.

Lines are told by their numbers, and never by what stands in them, so that no log names a photo that
somebody wants forgotten.
"""

import csv
import hashlib
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple, Self

from facesort.archive.journal import BUSY, DAMAGED, VERSION
from facesort.common.database import connect, explaining
from facesort.common.job import InputError
from facesort.common.trees import Entry
from facesort.fetch.folder import as_text

KEY: Final = "config: archive.exclude"
COLUMNS: Final = ("line", "photos")


class Exclusions(NamedTuple):
    """What a list names, each with the number of its first line.

    Attributes:
        paths: photos, and folders with all below them: paths below the archive.
        digests: SHA-256 of files, in lower-case hexadecimal digits.
    """

    paths: dict[str, int]
    digests: dict[str, int]

    def line(self, path: str, digest: Callable[[], str | None]) -> int:
        """The number of the line that leaves a file out; 0 if none does.

        Args:
            path: below the archive, as the system has it or as tables do.
            digest: gives the file's SHA-256; called only if that may matter.
        """
        for name in (path, as_text(path)):
            while name:
                if name in self.paths:
                    return self.paths[name]
                name = name.rpartition("/")[0]
        return self.digests.get(digest() or "", 0) if self.digests else 0

    def lines(self) -> list[int]:
        return sorted({*self.paths.values(), *self.digests.values()})


def read_exclusions(path: str | Path | None, folder: str | Path) -> Exclusions:
    """Read a list: a photo, a folder or a SHA-256 a line.

    Paths are those below the archive, as the system has them or as the tables show them, or
    absolute ones. Blank lines, and those that begin with #, are skipped.

    Raises:
        InputError: if it cannot be read, or a line is none of these; names the line.
    """
    found = Exclusions({}, {})
    if not path:
        return found
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror} ({KEY})") from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise InputError(f"{path}: not UTF-8 text; save it as such ({KEY})")
    # Names may have any bytes but these line ends.
    lines = re.split("\r\n|\n|\r", os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")))
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith("#"):
            continue
        if re.fullmatch("(?i)(sha256:)? *[0-9a-f]{64}", line):
            found.digests.setdefault(line[-64:].lower(), number)
        else:
            found.paths.setdefault(_below(line, folder, f"{path}, line {number}"), number)
    return found


def _below(line: str, folder: str | Path, where: str) -> str:
    """A line's path below the archive."""
    if line.lower().startswith("sha256:"):
        raise InputError(f"{where}: sha256: is followed by 64 hexadecimal digits ({KEY})")
    if re.match("(?i)https?://", line):
        raise InputError(f"{where}: a URL; those stand in the list at fetch.exclude ({KEY})")
    name = os.path.normpath(line)
    if os.path.isabs(name):  # noqa: PTH117
        roots = (os.path.abspath(folder), os.path.realpath(folder))  # noqa: PTH100
        below = [os.path.relpath(name, root) for root in roots]
        name = min(below, key=lambda each: each.startswith(".."))
    if name == ".." or name.startswith("../"):
        raise InputError(f"{where}: outside the archive ({KEY})")
    if name == ".":
        raise InputError(f"{where}: the whole archive; name no archive.photos instead ({KEY})")
    return name


class LeftOut:
    """Which files of an archive a list leaves out, and how many by each line; a context manager.

    Args:
        folder: the archive.
        exclusions: as of ``read_exclusions``.
        state: folder of the journals, which know the content of files that have not changed.
        max_bytes: larger files are no photos to us, and are not hashed.
    """

    def __init__(
        self, folder: str | Path, exclusions: Exclusions, state: Path, max_bytes: int
    ) -> None:
        self.folder, self.exclusions = folder, exclusions
        self._root = os.path.realpath(folder)
        self.state, self.max_bytes = state, max_bytes
        self.counts: Counter[int] = Counter()
        self._stack = ExitStack()
        self._journals: dict[int, sqlite3.Connection | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, entry: Entry, bucket: int) -> bool:
        """Whether an entry of the archive is left out, and counted so.

        Args:
            bucket: the file's, as of ``listing.bucket_of``.
        """

        def digest() -> str | None:
            if bucket < 0 or entry.size > self.max_bytes:
                return None
            return self._known(entry, bucket) or hashed(self.folder, entry.path)

        line = self.exclusions.line(entry.path, digest)
        if not line and self.exclusions.paths:
            # Behind links it is the same photo.
            real = os.path.realpath(os.path.join(self._root, entry.path))  # noqa: PTH118
            line = self.exclusions.line(os.path.relpath(real, self._root), lambda: None)
        if line:
            self.counts[line] += 1
        return line > 0

    def _known(self, entry: Entry, bucket: int) -> str | None:
        path = self.state / f"{bucket:02d}.sqlite"
        with explaining(path, BUSY, DAMAGED):
            if bucket not in self._journals:
                self._journals[bucket] = self._open(path) if path.exists() else None
            if (journal := self._journals[bucket]) is None:
                return None
            query = "SELECT content FROM entries WHERE file = ? AND size = ? AND time = ?"
            key = (os.fsencode(entry.path), entry.size, entry.time)
            content = (journal.execute(query, key).fetchone() or (None,))[0]
        return content and content[:64]

    def _open(self, path: Path) -> sqlite3.Connection | None:
        journal = connect(path)
        self._stack.callback(journal.close)
        made_by = journal.execute("PRAGMA user_version").fetchone()[0]
        return journal if made_by == VERSION else None

    def write(self, path: str | Path) -> None:
        """Write ``left_out.csv``: how many photos each line leaves out, by its number."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows((line, self.counts[line]) for line in self.exclusions.lines())


def hashed(folder: str | Path, path: str) -> str | None:
    """The SHA-256 of a file of the archive; None if it cannot be read."""
    try:
        with open(os.path.join(folder, path), "rb") as file:  # noqa: PTH118, PTH123
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
