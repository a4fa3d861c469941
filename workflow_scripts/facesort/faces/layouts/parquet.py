"""Parquet with images inside, as model hubs keep them.

A column holds each image's bytes, or a struct of ``bytes`` and ``path``; another the labels: words,
or numbers whose names stand in the schema's metadata under "huggingface". The part is told by the
names of files and folders (train-00000-of-00001.parquet), or by a column.
Source: https://huggingface.co/docs/datasets/image_dataset, and the library's ``ClassLabel``
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts.listing import (
    MOST_BYTES,
    MOST_PIXELS,
    Listing,
    Picture,
    Row,
    Settings,
    Tree,
)
from facesort.faces.layouts.tables import NAMES, Line, find_columns, to_float
from facesort.faces.layouts.words import meanings, part_of
from facesort.fetch.imaging import ImageError, read_image

# Rows whose images are in memory at once, beside those that threads decode.
BATCH: Final = 64


def fits(tree: Tree, settings: Settings) -> bool:
    for path in _files(tree, settings):
        # One that cannot be read may be of no account: `read` will tell.
        with suppress(InputError):
            if _image_columns(_open(tree.root / path, path)):
                return True
    return False


def read(tree: Tree, settings: Settings) -> Listing:
    """List the rows of all files; their images are read from them later.

    Raises:
        InputError: if a file cannot be read, has no such columns, or a label means nothing.
    """
    files = _files(tree, settings)
    if not files:
        raise InputError(f"{tree.tell('')}: no .parquet in it (config: data.layout)")
    columns = {}
    lines: list[tuple[str, Line]] = []
    refused: list[tuple[str, str]] = []
    for path in files:
        columns[path] = _image_column(_open(tree.root / path, path), settings, path)
        found, unread = _read_lines(tree.root / path, path, settings, ("label", "part", "relFCs"))
        lines += [(path, line) for line in found]
        refused += unread
    meaning = meanings((line.label for _, line in lines), settings.numbers, tree.tell(""))
    rows = []
    for path, line in lines:
        if line.label not in meaning:
            raise InputError(
                f"{shown(path)}, {line.at}: label {line.label[:40]!r} is none of "
                f"{', '.join(EMOTIONS)}"
            )
        number = int(line.at.removeprefix("row "))
        if emotion := meaning[line.label]:
            at = f"{path}:{number}"
            rows.append(Row(at, emotion, line.relFCs, line.part, source=number))
        else:
            refused.append((f"{path}:{number}", f"label {line.label!r} is not an emotion"))
    return Listing(rows, refused, _pictures(tree.root, columns), files)


def read_labels(
    path: Path, where: str, settings: Settings
) -> tuple[list[Line], list[tuple[str, str]]]:
    """As ``tables.read_labels``, from a Parquet of paths and labels."""
    return _read_lines(path, where, settings, tuple(NAMES))


def text_columns(path: Path, where: str) -> list[str]:
    """The names of the columns that hold neither bytes nor lists."""
    file = _open(path, where)
    images = _image_columns(file)
    return [
        field.name
        for field in file.schema_arrow
        if not pa.types.is_nested(field.type) and field.name not in images
    ]


def _files(tree: Tree, settings: Settings) -> list[str]:
    if settings.table:
        return [settings.table] if settings.table.casefold().endswith(".parquet") else []
    return [path for path in tree.files if path.casefold().endswith(".parquet")]


def _open(path: Path, where: str) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path.open("rb"))  # Arrow takes no name that is no UTF-8
        list(file.schema_arrow.names)  # which may be no UTF-8
        return file
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{shown(where)}: not readable as Parquet: {error}") from None


def _image_columns(file: pq.ParquetFile) -> list[str]:
    found = []
    for field in file.schema_arrow:
        kind = field.type
        if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            kind = kind.field("bytes").type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            found.append(field.name)
    return found


def _image_column(file: pq.ParquetFile, settings: Settings, where: str) -> str:
    found, wanted = _image_columns(file), settings.columns.get("path")
    if wanted is not None and wanted in found:
        return wanted
    if wanted is not None or len(found) != 1:
        raise InputError(
            f"{shown(where)}: which column holds the images' bytes, "
            f"{' or '.join(map(shown, found)) or 'none does'}? (config: data.columns.path)"
        )
    return found[0]


def _read_lines(
    path: Path, where: str, settings: Settings, sought: tuple[str, ...]
) -> tuple[list[Line], list[tuple[str, str]]]:
    """What a file says of its rows, numbered from 0, and the rows without a label or a path."""
    file = _open(path, where)
    names = text_columns(path, where)
    by_column = find_columns(names, settings, shown(where), sought)
    columns = {key: names[i] for key, i in by_column.items()}
    for what in ("path", "label"):
        if what in sought and what not in columns:
            raise InputError(f"{shown(where)}: no column of {what}s (config: data.columns.{what})")
    try:
        table = file.read(columns=list(columns.values()))
        told = {key: table.column(name).to_pylist() for key, name in columns.items()}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{shown(where)}: not readable as Parquet: {error}") from None
    classes = _class_names(file, columns["label"])
    lines, refused = [], []
    for number, label in enumerate(told["label"]):
        said = {
            key: str(values[number]) for key, values in told.items() if values[number] is not None
        }
        if lacking := [what for what in ("path", "label") if what in columns and what not in said]:
            refused.append((f"{where}:{number}", f"has no {lacking[0]}"))
            continue
        if classes and isinstance(label, int):
            said["label"] = classes[label] if 0 <= label < len(classes) else f"{label} of no class"
        part = part_of(said.get("part", "")) or _part_of_file(where)
        relfcs = to_float(said.get("relFCs", ""))
        lines.append(Line(f"row {number}", said.get("path", ""), said["label"], relfcs, part))
    return lines, refused


def _part_of_file(path: str) -> str | None:
    """The part that a file's name tells, or the folder's that it is in."""
    return next((part for name in reversed(path.split("/")) if (part := part_of(name))), None)


def _class_names(file: pq.ParquetFile, column: str) -> list[str]:
    """The names of a column's numbers, from the metadata that the library datasets writes."""
    try:
        about: Any = json.loads((file.schema_arrow.metadata or {})[b"huggingface"])
        names = about["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError):
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def _pictures(root: Path, columns: dict[str, str]) -> Callable[[Sequence[Row]], Iterator[Picture]]:
    def pictures(rows: Sequence[Row]) -> Iterator[Picture]:
        for path, group in groupby(rows, key=lambda row: row.path.rpartition(":")[0]):
            wanted = {row.source for row in group}
            number = 0
            try:
                for batch in _open(root / path, path).iter_batches(BATCH, columns=[columns[path]]):
                    images = batch.column(0)
                    if pa.types.is_struct(images.type):
                        images = pc.struct_field(images, "bytes")
                    for image in images:
                        if number in wanted:
                            yield partial(_decode, image.as_py())
                        number += 1
            except (pa.ArrowException, OSError, ValueError) as error:
                raise InputError(f"{shown(path)}: not readable as Parquet: {error}") from None

    return pictures


def _decode(data: bytes | None) -> np.ndarray:
    if not data:
        raise ImageError("the row holds no image's bytes")
    if len(data) > MOST_BYTES:
        raise ImageError("too many bytes", f"more than {MOST_BYTES:,}")
    return read_image(data, MOST_PIXELS)
