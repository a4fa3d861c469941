"""The labelled tree: a folder for each emotion, as in Kaggle's AffectNet subset.

Folder and label may disagree, file names repeat across folders, and some copies lack columns of
``labels.csv`` or the file itself; so a face is known by its path, and nothing is moved.
Source: https://www.kaggle.com/datasets/noamsegal/affectnet-training-data
"""

import csv
import hashlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from facesort.common.arrays import create_array, open_array
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, Progress
from facesort.fetch.imaging import ImageError, read_image, resize

SYNONYMS: Final = {
    "angry": "anger",
    "contemptuous": "contempt",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
TABLE: Final = "labels.csv"
# What archives and file managers leave behind, besides names that begin with a dot.
CLUTTER: Final = ("__macosx", "thumbs.db", "desktop.ini")
MOST_BYTES: Final = 50_000_000
MOST_PIXELS: Final = 100_000_000
BATCH: Final = 256
WARNINGS: Final = 10


class Row(NamedTuple):
    """A line of labels.csv; ``relFCs`` is NaN where it is not given."""

    label: str
    relFCs: float
    line: int


def emotion_of(name: str) -> str | None:
    """The emotion that a folder or a label names, or None."""
    name = name.strip().lower()
    name = SYNONYMS.get(name, name)
    return name if name in EMOTIONS else None


def list_labelled(
    folder: str | Path, label_from: str, min_relfcs: float | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the images of a labelled tree.

    Args:
        folder: holds a folder for each emotion, two at least, and perhaps labels.csv.
        label_from: "labels.csv" (its column ``label``; the folder's name where the file is
            missing) or "folder".
        min_relfcs: leave out images of less ``relFCs``; None keeps all.

    Returns:
        The images, sorted by path: path (relative, with "/"), folder, label, relFCs (NaN if
        unknown); and those left out: path, reason.

    Raises:
        InputError: naming folder or row: no such folder, one emotion alone, an empty folder, a
            folder or label that is none of the eight emotions, no relFCs to compare.
    """
    root = Path(folder)
    files = _files(root)
    table = _read_table(root / TABLE) if (root / TABLE).is_file() else None
    if table is None and label_from == TABLE:
        print(f"{root / TABLE}: not there; the folders' names are the labels")
    if min_relfcs is not None and (
        table is None or all(math.isnan(r.relFCs) for r in table[0].values())
    ):
        raise InputError(
            f"{root / TABLE}: has no relFCs; set data.min_relfcs to null in the config"
        )
    rows, refused = table if table is not None else ({}, [])
    kept = []
    for path, emotion in sorted(files.items()):
        row = rows.pop(path, None)
        relfcs = row.relFCs if row else math.nan
        if table is not None and label_from == TABLE:
            if row is None:
                refused.append((path, f"has no row in {TABLE}"))
                continue
            emotion = row.label
        if min_relfcs is not None and not relfcs >= min_relfcs:
            refused.append((path, f"relFCs {relfcs:g} is not {min_relfcs:g} or more"))
            continue
        kept.append((path, path.partition("/")[0], emotion, relfcs))
    refused += [(path, f"no such image ({TABLE}, row {row.line})") for path, row in rows.items()]
    index = pd.DataFrame(kept, columns=["path", "folder", "label", "relFCs"])
    return index.astype({"relFCs": "float64"}), _refused_table(refused)


def _files(root: Path) -> dict[str, str]:
    """The path of every file in the class folders, relative with "/", and its folder's emotion."""
    if not root.is_dir():
        what = "not a folder" if root.exists() else "no such folder"
        raise InputError(f"{root}: {what} (config: data.labelled)")
    files: dict[str, str] = {}
    for sub in sorted(root.iterdir()):
        if not sub.is_dir() or _is_clutter(sub):
            continue
        emotion = emotion_of(sub.name)
        if emotion is None:
            raise InputError(f"{sub}: the folder's name is none of {', '.join(EMOTIONS)}")
        names = [path.name for path in sub.iterdir() if not _is_clutter(path)]
        if not names:
            raise InputError(f"{sub}: an empty class folder; add images of {emotion}")
        files |= {f"{sub.name}/{name}": emotion for name in names}
    if len(set(files.values())) < 2:
        raise InputError(
            f"{root}: folders of {' or '.join(set(files.values())) or 'no emotion'} alone; two "
            "emotions or more are needed to tell apart (config: data.labelled)"
        )
    return files


def _is_clutter(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in CLUTTER


def _read_table(path: Path) -> tuple[dict[str, Row], list[tuple[str, str]]]:
    """Read labels.csv: its rows by image path, and what is refused (path, reason)."""
    rows: dict[str, Row] = {}
    refused: list[tuple[str, str]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            if not {"pth", "label"} <= set(reader.fieldnames or ()):
                raise InputError(f"{path}, row 1: no columns pth and label")
            for cells in reader:
                line = reader.line_num
                emotion = emotion_of(cells["label"])
                if emotion is None:
                    raise InputError(
                        f"{path}, row {line}: label {cells['label'][:40]!r} is none of "
                        f"{', '.join(EMOTIONS)}"
                    )
                image = cells["pth"].strip().replace("\\", "/").removeprefix("./")
                row = Row(emotion, _to_float(cells.get("relFCs", "")), line)
                if image.startswith("/") or ".." in image.split("/"):
                    refused.append((image, f"leads outside the folder ({TABLE}, row {line})"))
                elif image in rows:
                    refused.append((image, f"named a second time ({TABLE}, row {line})"))
                else:
                    rows[image] = row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not readable as a CSV: {error}") from None
    return rows, refused


def _to_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _refused_table(rows: Sequence[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["path", "reason"]).astype("str")


def read_images(
    folder: str | Path, paths: Sequence[str], size: int, workers: int
) -> Iterator[tuple[np.ndarray, str] | ImageError]:
    """Decode images, in order, a few in memory at once.

    Yields:
        For each the whole image resized to uint8 (size, size, 3) RGB, and the SHA-256 of its pixels
        before; or why it could not be read.
    """
    root = Path(folder).resolve()

    def read(path: str) -> tuple[np.ndarray, str] | ImageError:
        try:
            file = (root / path).resolve(strict=True)
            if not file.is_relative_to(root):
                return ImageError("leads outside the folder")
            if not file.is_file():
                return ImageError("not a file")
            if file.stat().st_size > MOST_BYTES:
                return ImageError("too many bytes", f"more than {MOST_BYTES:,}")
            image = read_image(file.read_bytes(), MOST_PIXELS)
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            return ImageError("unreadable", getattr(error, "strerror", None) or error)
        except ImageError as error:
            return error
        digest = hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()
        return resize(image, size), digest

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(paths), BATCH):
            yield from pool.map(read, paths[start : start + BATCH])


def read_labelled(
    folder: str | Path,
    label_from: str,
    min_relfcs: float | None,
    size: int,
    workers: int,
    faces_path: str | Path,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a labelled tree into one array.

    Args:
        size: side of the faces in pixels; the whole image is resized to a square.
        workers: threads that decode.
        faces_path: for uint8 (faces, size, size, 3), RGB, sorted by path.
        folder, label_from, min_relfcs: as ``list_labelled``.

    Returns:
        The array's index (columns of ``list_labelled`` and digest, SHA-256 of the decoded pixels),
        and what was left out (path, reason).

    Raises:
        InputError: as ``list_labelled``, or if an emotion has no image that can be read.
    """
    index, left_out = list_labelled(folder, label_from, min_relfcs)
    unreadable: list[tuple[str, str]] = []
    digests: list[str] = []
    good: list[int] = []
    # Room for all, since few are unreadable as a rule; if any is, the others are copied together.
    room = Path(faces_path).with_suffix(".all.npy")
    progress = Progress(len(index), "labelled faces")
    try:
        with create_array(room, (len(index), size, size, 3), "uint8") as everything:
            paths = index["path"].tolist()
            for row, found in enumerate(read_images(folder, paths, size, workers)):
                if isinstance(found, ImageError):
                    unreadable.append((paths[row], str(found)))
                    if len(unreadable) <= WARNINGS:
                        print(f"warning: {folder}/{paths[row]}: left out, {found}")
                else:
                    everything[row], digest = found
                    digests.append(digest)
                    good.append(row)
                progress.update(1, refused=len(unreadable))
        progress.close()
        left = set(index["label"].iloc[good])
        missing = sorted(set(index["label"]) - left) or (["any emotion"] if not left else [])
        if missing:
            first = f"; {unreadable[0][0]}: {unreadable[0][1]}" if unreadable else ""
            raise InputError(
                f"{folder}: no readable image of {', '.join(missing)} is left{first} (config: data)"
            )
        if unreadable:
            everything = open_array(room)
            with create_array(faces_path, (len(good), size, size, 3), "uint8") as out:
                for start in range(0, len(good), BATCH):
                    out[start : start + BATCH] = everything[good[start : start + BATCH]]
        else:
            room.replace(faces_path)
    finally:
        room.unlink(missing_ok=True)
    left_out = pd.concat([left_out, _refused_table(unreadable)], ignore_index=True)
    return index.iloc[good].reset_index(drop=True).assign(digest=digests), left_out
