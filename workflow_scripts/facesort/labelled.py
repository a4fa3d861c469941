"""The labelled tree: eight emotion folders, as in Kaggle's AffectNet subset.

Folder and label may disagree, file names repeat across folders, and some copies lack columns of
``labels.csv`` or the file itself; so a face is known by its path.
Source: https://www.kaggle.com/datasets/noamsegal/affectnet-training-data
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.emotions import EMOTIONS
from facesort.imaging import ImageError, cut_faces
from facesort.job import InputError

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
SUFFIXES: Final = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
WHOLE: Final = (0.0, 1.0, 0.0, 1.0)


def emotion_of(name: str) -> str | None:
    """The emotion that a folder or label names, or None."""
    name = name.strip().lower()
    name = SYNONYMS.get(name, name)
    return name if name in EMOTIONS else None


def list_labelled(folder: str | Path, label_from: str, min_relfcs: float | None) -> pd.DataFrame:
    """List the images of a labelled tree.

    Args:
        label_from: "labels.csv" (its column ``label``; the folder where the file is missing) or
            "folder".
        min_relfcs: leave out images of less ``relFCs``; None keeps all.

    Returns:
        Columns path (relative, with "/"), folder, label, relFCs (NaN if unknown), sorted by path.

    Raises:
        InputError: naming folder or row: no such folder, an emotion's folder missing or empty, a
            folder or label that is none of the eight emotions.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{folder}: no such folder (config: data.labelled)")
    rows = []
    for sub in sorted(path for path in root.iterdir() if path.is_dir()):
        if sub.name.startswith("."):
            continue
        if (emotion := emotion_of(sub.name)) is None:
            raise InputError(f"{sub}: the folder's name is none of {', '.join(EMOTIONS)}")
        files = [path for path in sub.iterdir() if path.suffix.lower() in SUFFIXES]
        if not files:
            raise InputError(f"{sub}: an empty class folder; add images or remove data.labelled")
        rows += [(f"{sub.name}/{path.name}", sub.name, emotion) for path in files]
    if missing := [e for e in EMOTIONS if e not in {emotion for *_, emotion in rows}]:
        raise InputError(f"{folder}: no folder for {', '.join(missing)} (config: data.labelled)")
    index = pd.DataFrame(sorted(rows), columns=["path", "folder", "label"])
    index["relFCs"] = np.nan
    table_path = root / "labels.csv"
    if table_path.is_file():
        table = _read_labels(table_path)
        index["relFCs"] = index["path"].map(table["relFCs"])
        if label_from == "labels.csv":
            index["label"] = index["path"].map(table["label"])
            if without := int(index["label"].isna().sum()):
                example = index.loc[index["label"].isna(), "path"].iloc[0]
                print(f"warning: {without} images have no row in {table_path} (first: {example})")
                index = index.dropna(subset="label")
    if min_relfcs is not None:
        index = index[index["relFCs"] >= min_relfcs]
        if missing := [e for e in EMOTIONS if e not in set(index["label"])]:
            raise InputError(
                f"{folder}: no image of {', '.join(missing)} has relFCs of at least {min_relfcs}; "
                "lower data.min_relfcs in the config"
            )
    return index.reset_index(drop=True)


def _read_labels(path: Path) -> pd.DataFrame:
    """Read labels.csv: label and relFCs by path."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not readable as a CSV ({error})") from None
    if not {"pth", "label"} <= set(table.columns):
        raise InputError(f"{path}: no columns pth and label in its first row")
    emotions = table["label"].map(emotion_of)
    if emotions.isna().any():
        row = int(np.flatnonzero(emotions.isna())[0])
        raise InputError(
            f"{path}, row {row + 2}: label {table['label'].iloc[row]!r} is none of "
            f"{', '.join(EMOTIONS)}"
        )
    relfcs = pd.to_numeric(table.get("relFCs", pd.Series(np.nan, table.index)), errors="coerce")
    found = pd.DataFrame({"label": emotions, "relFCs": relfcs})
    # Some copies write the parent folder or backslashes: the last two parts tell the image.
    found.index = pd.Index(
        table["pth"].str.replace("\\", "/").str.split("/").str[-2:].str.join("/")
    )
    if found.index.has_duplicates:
        raise InputError(f"{path}: {found.index[found.index.duplicated()][0]} has two rows")
    return found


def read_faces(
    folder: str | Path, paths: Iterable[str], size: int, workers: int
) -> Iterator[np.ndarray | ImageError]:
    """Decode images in order: uint8 (size, size, 3) RGB each, or why it could not be."""
    root = Path(folder).resolve()

    def read(path: str) -> np.ndarray | ImageError:
        try:
            file = (root / path).resolve()
            if not file.is_relative_to(root):
                return ImageError("a link that leads outside the labelled folder")
            faces, _ = cut_faces(file.read_bytes(), [WHOLE], size, 100_000_000)
            return faces[0]
        except OSError as error:
            return ImageError(str(error.strerror))
        except ImageError as error:
            return error

    paths = list(paths)
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(paths), 1024):
            yield from pool.map(read, paths[start : start + 1024])


def pixel_digest(face: np.ndarray) -> str:
    """Digest of a face's pixels: equal for exact copies."""
    return hashlib.sha256(np.ascontiguousarray(face).tobytes()).hexdigest()[:32]
