"""What persons said of tags: ``reviewed.csv``, as the page to browse saves it."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.archive.tables import BOX, TAGS
from facesort.common.job import InputError

COLUMNS: Final = (
    *("photo", "face", *BOX, "tag", "verdict", "by", "at"),
    *("chosen", "stratum", "stratum_faces", "stratum_place"),
)
VERDICTS: Final = ("right", "wrong", "skipped")
MOST_BYTES: Final = 200_000_000
NOBODY: Final = pd.DataFrame(columns=list(COLUMNS))
# Two boxes are of one face if they have so much of both in common.
COMMON: Final = 0.5


def read_reviewed(path: str | Path) -> pd.DataFrame:
    """As of ``read_answers``; of several to the same face and tag the latest alone."""
    table = read_answers(path).sort_values("at", kind="stable")
    return table.drop_duplicates(["photo", "face", "tag"], keep="last", ignore_index=True)


def read_answers(path: str | Path) -> pd.DataFrame:
    """Read all answers, in the file's order.

    Returns:
        Columns ``COLUMNS``; face (int), the box, stratum_faces and stratum_place (float, NaN if not
        told), all others text.

    Raises:
        InputError: if it cannot be read, or a row is no answer; names the line.
    """
    rows = [_answer(path, line, row) for line, row in _rows(path)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(path: str | Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Lines' numbers and rows by column."""
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: more than {MOST_BYTES:,} bytes; not a reviewed.csv")
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; save it from the page to browse again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    # A table program may have put ";" in place of ",".
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lacking = [name for name in COLUMNS[:8] if name not in (reader.fieldnames or ())]
    if lacking:
        raise InputError(f"{path}: no column {lacking[0]}; save it from the page to browse again")
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num + 1}: {error}") from None


def _answer(path: str | Path, line: int, row: dict[str, str | None]) -> list[object]:
    """The values of ``COLUMNS`` of a row."""

    def wrong(column: str, wanted: str) -> InputError:
        told = (row[column] or "")[:60]
        return InputError(f"{path}: line {line}: {column} is {told!r}; {wanted}")

    def number(column: str) -> float:
        told = (row.get(column) or "").strip()
        try:
            value = float(told) if told else np.nan
        except ValueError:
            raise wrong(column, "a number is expected") from None
        if np.isinf(value) or (value < 0 and column != "left" and column != "top"):
            raise wrong(column, "a number of pixels or faces is expected")
        return value

    if row["tag"] not in TAGS:
        raise wrong("tag", f"known are {', '.join(TAGS)}")
    if row["verdict"] not in VERDICTS:
        raise wrong("verdict", f"known are {', '.join(VERDICTS)}")
    if not row["photo"]:
        raise wrong("photo", "a path below the folder is expected")
    face = number("face")
    if not face == int(face if face == face else -1):
        raise wrong("face", "its number in the photo is expected, from 0")
    values: dict[str, object] = {name: row.get(name) or "" for name in COLUMNS}
    values |= {name: number(name) for name in (*BOX, "stratum_faces", "stratum_place")}
    return list((values | {"face": int(face)}).values())


def matched(reviewed: pd.DataFrame, faces: pd.DataFrame) -> np.ndarray:
    """Which face each answer is of: int64 (n,), rows of ``faces``; -1 if it is not there.

    A face is known by its box, since faces are numbered anew when others are found; where an answer
    tells no box, by its number.

    Args:
        faces: columns photo, face and the box.
    """
    rows = np.full(len(reviewed), -1)
    of_photo = faces.groupby("photo").indices
    boxes, numbers = faces[list(BOX)].to_numpy(np.float64), faces["face"].to_numpy()
    answers = reviewed[["photo", "face", *BOX]].itertuples(index=False)
    for at, (photo, face, *box) in enumerate(answers):
        candidates = of_photo.get(photo, np.zeros(0, int))
        if not len(candidates):
            continue
        if np.isnan(box).any():
            fits = numbers[candidates] == face
        else:
            fits = common(boxes[candidates], np.array(box))
            fits = (fits > COMMON) & (fits == fits.max())
        rows[at] = candidates[fits.argmax()] if fits.any() else -1
    return rows


def common(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (N, 4) with one (4,), left, top, width, height: (N,)."""
    low = np.maximum(boxes[:, :2], box[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    every = boxes[:, 2:].prod(1) + box[2:].prod() - both
    found: np.ndarray = both / np.maximum(every, 1e-9)
    return found
