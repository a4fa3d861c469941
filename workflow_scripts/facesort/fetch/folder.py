"""Faces of one's own: a folder of face crops as the pool, in place of photos from the web.

A face is a whole picture, since there is no detector to find it in a photo. Every file is read or
refused with a cause, in the same tables as what was fetched; nothing in the folder is touched.
"""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from facesort.common.arrays import append_array, write_index, write_whole
from facesort.common.job import InputError, Progress
from facesort.common.trees import shown, walk
from facesort.fetch.imaging import ImageError, read_file, read_image, resize
from facesort.fetch.outputs import LEDGER, cause_of

BATCH: Final = 256
WARNINGS: Final = 10


class Listing(NamedTuple):
    """What lies below a folder, hidden files apart.

    Attributes:
        files: their paths, relative to the folder, sorted.
        refused: what is neither a file nor a folder to enter, and why.
    """

    files: list[str]
    refused: list[tuple[str, str]]


def list_files(folder: str | Path) -> Listing:
    """List a folder and all folders below it. Links are followed, but into no folder twice."""
    found = sorted(walk(folder))
    others = [(entry.path, entry.kind) for entry in found if entry.kind not in ("file", "folder")]
    return Listing([entry.path for entry in found if entry.kind == "file"], others)


def read_folder(
    folder: str | Path,
    faces: str | Path,
    *,
    sample: int | None,
    seed: int,
    size: int,
    workers: int,
    max_bytes: int,
    max_pixels: int,
) -> list[dict[str, Any]]:
    """Read the pictures of a folder into one array.

    Args:
        faces: for uint8 (faces, size, size, 3), RGB, in the order of their paths; each picture is
            resized to a square, whole.
        sample: how many files to read at most, drawn at random by the seed; None reads all.
        workers: threads that decode.
        max_bytes, max_pixels: files with more are refused.

    Returns:
        Of each file, in the order of their paths: path (relative to the folder, as it can be
        shown), error (None for those in the array), and as far as it was read bytes, sha256, width
        and height (pixels). A file of the same bytes as one before it is refused. Then what is no
        file.

    Raises:
        InputError: if not one picture can be read.
    """
    listing = list_files(folder)
    paths = listing.files
    if sample is not None and sample < len(paths):
        drawn = np.random.default_rng(seed).choice(len(paths), sample, replace=False)
        paths = [paths[number] for number in np.sort(drawn)]
    rows: list[dict[str, Any]] = []
    first: dict[str, str] = {}
    progress = Progress(len(paths), "faces of the folder")
    with tempfile.TemporaryFile(dir=Path(faces).parent) as room:
        for path, row, face in read_faces(folder, paths, size, workers, max_bytes, max_pixels):
            row["path"] = as_text(path)
            if face is not None and row["sha256"] in first:
                row["error"] = f"the same bytes as another file: {first[row['sha256']]}"
            elif face is not None:
                first[row["sha256"]] = row["path"]
                room.write(face.data)
            rows.append(row)
            progress.update(1, refused=len(rows) - len(first))
        progress.close()
        rows += [{"path": as_text(path), "error": why} for path, why in listing.refused]
        lost = [row for row in rows if row["error"]]
        print(
            f"{len(listing.files):,} files below {folder}: {len(first):,} faces, "
            f"{len(lost) - len(listing.refused):,} refused, "
            f"{len(listing.files) - len(paths):,} not drawn (faces.sample); "
            f"{len(listing.refused):,} others are neither files nor folders to enter"
        )
        for row in lost[:WARNINGS]:
            print(f"warning: {folder}/{row['path']}: left out, {row['error']}")
        if not first:
            causes = Counter(cause_of(row["error"]) for row in lost).most_common(5)
            told = ", ".join(f"{cause} ({files:,})" for cause, files in causes) or "no files"
            raise InputError(f"{folder}: not one face could be read: {told} (config: data.faces)")
        room.seek(0)
        with append_array(faces, (len(first), size, size, 3), "uint8") as out:
            shutil.copyfileobj(room, out, 1 << 24)
    return rows


def read_faces(
    folder: str | Path, paths: list[str], size: int, workers: int, max_bytes: int, max_pixels: int
) -> Iterator[tuple[str, dict[str, Any], np.ndarray | None]]:
    """Decode pictures, in order, a few in memory at once.

    Yields:
        The path; bytes, sha256, width, height and error of the file, as far as it was read; and the
        face, uint8 (size, size, 3), or None.
    """

    def read(path: str) -> tuple[str, dict[str, Any], np.ndarray | None]:
        row: dict[str, Any] = {"error": None}
        try:
            file = Path(folder, path)
            row["bytes"] = file.stat().st_size
            data = read_file(file, max_bytes)
            row["sha256"] = hashlib.sha256(data).hexdigest()
            image = read_image(data, max_pixels)
        except OSError as error:
            row["error"] = f"unreadable: {error.strerror or error}"
        except ImageError as error:
            row["error"] = str(error)
        else:
            row["height"], row["width"] = image.shape[:2]
            return path, row, resize(image, size)
        return path, row, None

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(paths), BATCH):
            yield from pool.map(read, paths[start : start + BATCH])


def as_text(path: str) -> str:
    """A path as text, each another."""
    return shown(path.replace("\\", "\\\\"))


def write_accounts(
    files: list[dict[str, Any]],
    index: str | Path,
    ledger: str | Path,
    refused: str | Path,
    manifest: str | Path,
) -> None:
    """Write the tables that there are of what is fetched; a path stands in a URL's place.

    Args:
        files: as ``read_folder`` gives it.
        index: for path, width, height and sha256 of each face, in the array's order.
        ledger: for a row a file, as of a URL: outcome is fetched or failed.
        refused: for url and cause of what was left out.
        manifest: for a CSV of path and sha256 of each face, by which others can tell whether they
            have the same. There is nothing to fetch by it.
    """
    good = [file for file in files if not file["error"]]
    table = pd.DataFrame(good, columns=["path", "width", "height", "sha256"])
    write_index(table, index)
    with write_whole(manifest) as part:
        table[["path", "sha256"]].to_csv(part, index=False)
    lost = [(file["path"], file["error"]) for file in files if file["error"]]
    write_index(pd.DataFrame(lost, columns=["url", "cause"]).astype("str"), refused)
    outcomes = [
        file | {"url": file["path"], "outcome": "failed" if file["error"] else "fetched"}
        for file in files
    ]
    with write_whole(ledger) as part:
        pq.write_table(pa.Table.from_pylist(outcomes, LEDGER), part)
