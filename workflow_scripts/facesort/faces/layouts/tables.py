"""Tables of labels: their lines read one by one, and joined with the images that they name."""

import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts.listing import Row, Settings, is_image
from facesort.faces.layouts.matching import match, parts_of
from facesort.faces.layouts.words import meanings, part_of
from facesort.fetch.fec import numbered_lines, split_text

# What columns are called, where data.columns does not say it.
NAMES: Final = {
    "path": "pth path image img image_path img_path imagepath filepath file_path file filename "
    "file_name image_name imagename name subdirectory_filepath",
    "label": "label labels emotion emotions expression class category target emotion_label "
    "expression_label",
    "part": "part split subset usage partition",
    "relFCs": "relfcs",
}
Box = tuple[int, int, int, int]


class Line(NamedTuple):
    """What a table says of an image; ``at`` tells where, such as "row 5".

    ``face`` numbers the faces of a photo that has several, each with a ``box``.
    """

    at: str
    path: str
    label: str
    relFCs: float = math.nan
    part: str | None = None
    face: int | None = None
    box: Box | None = None


class Cells(NamedTuple):
    """A line of a CSV: its row in the file, and its cells or the reason why there are none."""

    row: int
    cells: list[str]
    fault: str = ""


def read_csv(path: Path, key: str = "data.labelled") -> Iterator[Cells]:
    """The lines of a CSV, of which the first is its header; tabs and semicolons separate as well.

    One line at a time: an unbalanced quote must not swallow the lines after it. Bytes that are no
    UTF-8 stay what they are in names of files.

    Args:
        key: of the config, which names it.

    Raises:
        InputError: if it cannot be read, is empty, is UTF-16, or has no header.
    """
    told, separator = shown(str(path)), None
    for row, line in numbered_lines(path, key):
        if separator is None and b"\0" in line:
            raise InputError(f"{told}, row {row}: not UTF-8; save the table as UTF-8")
        text = line.decode("utf-8", "surrogateescape")
        is_header = separator is None
        separator = separator or max(",\t;", key=text.count)
        cells = split_text(text, separator)
        if isinstance(cells, list):
            yield Cells(row, cells)
        elif is_header:
            raise InputError(f"{told}, row {row}: {cells} (config: {key})")
        else:
            yield Cells(row, [], cells)
    if separator is None:
        raise InputError(f"{told}: empty (config: {key})")


def find_columns(
    header: Sequence[str], settings: Settings, where: str, sought: Collection[str] = tuple(NAMES)
) -> dict[str, int]:
    """Which column holds "path", "label", "part" and "relFCs": by the config, or by usual names.

    Args:
        header: the columns' names.
        where: the table, for messages.
        sought: those of the four that are of use.

    Returns:
        The columns' numbers; what no column holds is left out.

    Raises:
        InputError: if the config names a column that is not there, or two have usual names.
    """
    columns = [name.strip() for name in header]
    found = {}
    for what in sought:
        fitting, wanted = _fitting(columns, what, settings), settings.columns.get(what)
        if wanted is not None and not fitting:
            raise InputError(
                f"{where}: no column {wanted!r}, but {listed(columns)} "
                f"(config: data.columns.{what})"
            )
        if len(fitting) > 1:
            raise InputError(
                f"{where}: which column is the {what}, {listed(fitting)}? "
                f"(config: data.columns.{what})"
            )
        if fitting:
            found[what] = columns.index(fitting[0])
    return found


def has_columns(header: Sequence[str], settings: Settings) -> bool:
    """Whether a table has paths and labels, be it in which columns."""
    columns = [name.strip() for name in header]
    return all(_fitting(columns, what, settings) for what in ("path", "label"))


def _fitting(columns: Sequence[str], what: str, settings: Settings) -> list[str]:
    if wanted := settings.columns.get(what):
        return [wanted] if wanted in columns else []
    return [name for name in columns if name.casefold().replace(" ", "_") in NAMES[what].split()]


def listed(columns: Sequence[str]) -> str:
    return " or ".join(repr(name[:40]) for name in columns[:20]) or "none at all"


def read_labels(
    path: Path, where: str, settings: Settings
) -> tuple[list[Line], list[tuple[str, str]]]:
    """The lines of a CSV of paths and labels, and those that are none: (table and row, reason).

    Raises:
        InputError: as ``read_csv`` and ``find_columns``, or if a column is missing.
    """
    table = read_csv(path)
    columns = find_columns(next(table).cells, settings, where)
    for what in ("path", "label"):
        if what not in columns:
            raise InputError(f"{where}, row 1: no column of {what}s (config: data.columns.{what})")
    lines, refused = [], []
    for row, cells, fault in table:
        if fault or len(cells) <= max(columns["path"], columns["label"]):
            refused.append((f"{where}:{row}", fault or f"only {len(cells)} columns"))
        else:
            said = {w: cells[c].strip() for w, c in columns.items() if c < len(cells)}
            part, relfcs = part_of(said.get("part", "")), to_float(said.get("relFCs", ""))
            lines.append(Line(f"row {row}", said["path"], said["label"], relfcs, part))
    return lines, refused


def to_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def join(
    lines: Sequence[Line],
    files: Collection[str],
    settings: Settings,
    where: str,
    every_file: bool = True,
) -> tuple[list[Row], list[tuple[str, str]]]:
    """Join a table's lines with the images that they name.

    Args:
        files: paths relative to the set's folder; nothing else is ever read.
        where: the table, for messages.
        every_file: whether it is a fault of the table if images have no line.

    Returns:
        The images, sorted by path, and what is left out (path, reason): every line and every file
        stands in one of the two.

    Raises:
        InputError: if a label means nothing, or more than ``data.unmatched`` of the lines, or of
            the images, have no counterpart.
    """
    meaning = meanings((line.label for line in lines), settings.numbers, where)
    for line in lines:
        if line.label not in meaning:
            raise InputError(
                f"{where}, {line.at}: label {line.label[:40]!r} is none of {', '.join(EMOTIONS)}"
            )
    found = match((line.path for line in lines), files, where)
    rows, refused, seen, astray = [], [], set(), []
    for line in lines:
        file, key = found.get(line.path), (parts_of(line.path), line.face)
        reason = None
        if key in seen:
            reason = "named a second time"
        elif file is None:
            reason = "no such image"
            astray.append(line)
        elif not meaning[line.label]:
            reason = f"label {line.label!r} is not an emotion"
        seen.add(key)
        if reason or file is None:
            refused.append((line.path, f"{reason} ({where}, {line.at})"))
            continue
        path = file if line.face is None else f"{file}:{line.face}"
        rows.append(Row(path, meaning[line.label], line.relFCs, line.part, line.box, file))
    alone = sorted(set(files) - set(found.values()))
    _check_fit(len(seen), astray, files, alone, settings, where, every_file)
    refused += [(file, f"has no row in {where}") for file in alone]
    return sorted(rows, key=lambda row: row.path), refused


def _check_fit(
    named: int,
    astray: Sequence[Line],
    files: Collection[str],
    alone: Collection[str],
    settings: Settings,
    where: str,
    every_file: bool,
) -> None:
    """Tell what has no counterpart on either side; too much is an error."""
    images, lonely = sum(map(is_image, files)), list(filter(is_image, alone))
    if not astray and not lonely:
        return
    told = []
    if astray:
        told.append(
            f"{len(astray):,} of {named:,} rows name no image, such as {astray[0].at}: "
            f"{shown(astray[0].path)[:200]}"
        )
    if lonely:
        told.append(
            f"{len(lonely):,} of {images:,} images have no row, such as {shown(lonely[0])[:200]}"
        )
    text = f"{where}: {'; '.join(told)}"
    most = settings.unmatched
    if len(astray) > most * named or (every_file and len(lonely) > most * images):
        raise InputError(f"{text}; the table does not fit its images (config: data.unmatched)")
    print(f"warning: {text}")
