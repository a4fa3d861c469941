"""What lies in an archive, and which bucket each file falls to."""

import os
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from facesort.archive import xmp
from facesort.common.arrays import write_whole
from facesort.common.job import InputError
from facesort.common.trees import Entry, walk
from facesort.fetch.folder import as_text

# A journal each, shared out among the jobs: their number may change, and nothing is analysed anew.
BUCKETS: Final = 64
# Of so many files of one size, each goes where its size tells.
FEW: Final = 64
ROWS: Final = 5_000

LISTED: Final = pa.schema(
    [
        ("photo", pa.string()),  # the path below the folder as text, which sorts
        ("file", pa.binary()),  # the same as the system has it
        ("size", pa.int64()),  # bytes
        ("time", pa.int64()),  # nanoseconds
        ("sidecar", pa.binary()),  # its path, or empty
        ("sidecar_time", pa.int64()),
        ("bucket", pa.int16()),  # -1: neither a file nor a folder, and nothing is opened
        ("reason", pa.string()),  # then why
    ]
)


def list_archive(
    folder: str | Path,
    listing: str | Path,
    left_out: Callable[[Entry, int], bool] = lambda entry, bucket: False,
) -> Counter[str]:
    """Write a table ``LISTED`` of all that lies below a folder, sorted by bucket, then photo.

    A file falls to a bucket by its size in bytes: a copy, and a file that was renamed, falls where
    its content is known. Where many files have one size, as scans do that nothing compresses, it
    falls by its path.

    Args:
        left_out: tells of an entry and its bucket whether it is not to be listed.

    Returns:
        How many there are of "photos" (files that may be one), "sidecars" and "others".

    Raises:
        InputError: if there is no file at all: an empty folder is more likely a disk that is not
            there than one from which all has gone. Or if every file is left out.
    """
    entries: list[Entry] = []
    beside: dict[str, list[Entry]] = {}
    for entry in walk(folder):
        if entry.kind == "folder":
            continue
        if entry.kind == "file" and entry.path.lower().endswith(xmp.ENDING):
            beside.setdefault(entry.path.lower(), []).append(entry)
        else:
            entries.append(entry)
    # Names that differ by case alone: each has its own sidecar, or none.
    same = Counter(entry.path.lower() for entry in entries)

    def sidecar_of(path: str) -> Entry:
        for name in xmp.names(path):
            found = beside.get(name.lower(), [])
            alone = len(found) == 1 and same[path.lower()] == 1
            for entry in found:
                if alone or entry.path == name:
                    return entry
        return Entry("", "")

    if not any(entry.kind == "file" for entry in entries):
        raise InputError(f"{folder}: no file in it (config: archive.photos)")
    sizes = Counter(entry.size for entry in entries if entry.kind == "file")
    every = sorted((bucket_of(entry, sizes), as_text(entry.path), entry) for entry in entries)
    # Buckets are as without a list, so that no other photo is analysed anew.
    order = [each for each in every if not left_out(each[2], each[0])]
    if not order or order[-1][0] < 0:
        raise InputError(
            "archive.exclude leaves out every file; to forget all of them, delete results/archive"
        )
    with write_whole(listing) as part, pq.ParquetWriter(part, LISTED) as writer:
        for start in range(0, len(order), ROWS):
            rows = []
            for bucket, photo, entry in order[start : start + ROWS]:
                sidecar = sidecar_of(entry.path) if bucket >= 0 else Entry("", "")
                reason = "" if bucket >= 0 else entry.kind
                about = (os.fsencode(entry.path), entry.size, entry.time)
                beside_it = (os.fsencode(sidecar.path), sidecar.time)
                rows.append((photo, *about, *beside_it, bucket, reason))
            columns = [list(column) for column in zip(*rows, strict=True)]
            writer.write_table(pa.table(columns, schema=LISTED))
    others = sum(bucket < 0 for bucket, *_ in order)
    return Counter(photos=len(order) - others, sidecars=len(beside), others=others)


def bucket_of(entry: Entry, sizes: Counter[int]) -> int:
    """0 to ``BUCKETS`` - 1, the same on every machine; -1 of what is no file."""
    if entry.kind != "file":
        return -1
    by_size = sizes[entry.size] <= FEW
    key = str(entry.size).encode() if by_size else os.fsencode(entry.path)
    return zlib.crc32(key) % BUCKETS


def buckets_of(job: int, jobs: int) -> list[int]:
    """The buckets of one of several jobs."""
    return list(range(job, BUCKETS, jobs))
