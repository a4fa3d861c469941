"""What an archive's other targets have kept of photos that are left out, erased.

Journals and tables of the archive itself forget what the listing has no more. Here the rest: our
part of sidecars, what the ledger knows of them, rows of tables, files of jobs that are no more.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow.parquet as pq

from facesort.archive.joining import CSV
from facesort.archive.left_out import Exclusions, hashed
from facesort.common.arrays import write_whole
from facesort.common.job import InputError
from facesort.common.trees import walk
from facesort.fetch.folder import as_text
from facesort.sidecars.ledger import Ledger
from facesort.sidecars.writing import undo

# Tables of this stage, a row a photo.
TABLES: Final = ("sidecars.csv", "undone.csv")
# Folders with a file a job.
OF_JOBS: Final = ("found", "read", "refused", "answers", "named", "said", "thumbnails", "previews")


def erase(archive: Path, folder: str, exclusions: Exclusions, jobs: int) -> Counter[str]:
    """Erase what is left of photos that are not listed any more.

    Args:
        archive: results/archive.
        folder: that of the photos.
        exclusions: what is left out. Of other photos that are gone, sidecars stay as they are.
        jobs: how many share the photos.

    Returns:
        How many "sidecars undone", "rows of tables" and "files of earlier runs" there were.

    Raises:
        InputError: if one of our sidecars cannot be undone: the ledger then still has it.
    """
    listing = archive / "listing.parquet"
    listed = set(pq.read_table(listing, columns=["photo"])["photo"].to_pylist())
    files = _stale(archive, listing.stat().st_mtime_ns, jobs)
    for path in files:
        path.unlink()
    return Counter(
        {
            "sidecars undone": _undo(archive, folder, exclusions, listed),
            "rows of tables": sum(_drop(archive / name, listed) for name in TABLES),
            "files of earlier runs": len(files),
        }
    )


def _undo(archive: Path, folder: str, exclusions: Exclusions, listed: Collection[str]) -> int:
    path = archive / "sidecars" / "ledger.sqlite"
    if not path.exists():
        return 0

    names: dict[str, str] = {}

    def left_out(photo: str) -> bool:
        if not names and exclusions.digests:
            names.update((as_text(entry.path), entry.path) for entry in walk(folder))
        file = names.get(photo, photo)
        return exclusions.line(photo, lambda: hashed(folder, file)) > 0

    with Ledger(path) as ledger:
        rows = filter(None, map(ledger.get, ledger.paths()))
        gone = [row.path for row in rows if row.photo not in listed and left_out(row.photo)]
        told = list(undo(ledger, gone))
        for _, sidecar, what, _, reason in told:
            if what == "left alone":
                raise InputError(f"{sidecar}: what we wrote cannot be taken out: {reason}")
        if told:
            ledger.erase_leftovers()
    return len(told)


def _drop(path: Path, listed: Collection[str]) -> int:
    """Drop a table's rows of photos that are not listed. Returns how many."""
    if not path.exists():
        return 0
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding=CSV)
    kept = table[table["photo"].isin(listed)]
    if len(kept) < len(table):
        with write_whole(path) as part:
            kept.to_csv(part, index=False, lineterminator="\n", encoding=CSV)
    return len(table) - len(kept)


def _stale(archive: Path, since: int, jobs: int) -> list[Path]:
    """Tables of jobs from when there were more, and what killed runs left half written.

    Args:
        since: when the listing was made, in nanoseconds.
    """
    tables: Iterable[Path] = (path for name in OF_JOBS for path in archive.glob(f"{name}/*"))
    found = [path for path in tables if not path.stem.isdecimal() or int(path.stem) >= jobs]
    parts = archive.rglob("*.part")
    return found + [
        path
        for path in parts
        if path not in found and os.stat(path).st_mtime_ns < since  # noqa: PTH116
    ]
