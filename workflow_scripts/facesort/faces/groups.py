"""Groups of people, as a table of the user tells them: read, cut into bands, matched with faces."""

import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.common.group_table import NOT_TOLD
from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts.matching import match, parts_of
from facesort.faces.layouts.tables import NAMES, listed, read_csv

KEY: Final = "audit.groups"
# More values than this are no groups: names of people, say, or ages that no bands are given for.
MOST: Final = 40
LONGEST: Final = 60
EMPTY: Final = {"", "-", "?", "na", "n/a", "nan", "null", "unknown", NOT_TOLD}


def read_groups(
    path: str | Path, columns: Collection[str] | None, bands: Mapping[str, Sequence[int]]
) -> pd.DataFrame:
    """Read the table of groups.

    Args:
        path: a CSV with a header. A column with a usual name of paths, else the first, names a
            face's file; every other column with a name tells a group.
        columns: those to read, None for all.
        bands: by column, the first number of each band after the lowest.

    Returns:
        A row a file, indexed by ``file`` as the table has it; a column of str for each kind of
        group. Cells that are empty, and numbers that are none, are ``NOT_TOLD``.

    Raises:
        InputError: if the table cannot be read, lacks a column, tells no groups, has too many
            values in a column, or tells a file twice and differently.
    """
    where = shown(str(path))
    lines = read_csv(Path(path), KEY)
    header = [shown(" ".join(name.split())) for name in next(lines).cells]
    key, chosen = _columns(header, columns, where)
    files: dict[tuple[str, ...], tuple[int, str, tuple[str, ...]]] = {}
    known: dict[str, str] = {}
    twice, odd = 0, []
    for row, cells, fault in lines:
        name = parts_of(cells[key]) if len(cells) == len(header) else ()
        if fault or not name:
            why = "names no file" if len(cells) == len(header) else f"{len(cells)} columns"
            odd.append(f"row {row} ({fault or why})")
            continue
        told = tuple(known.setdefault(cells[n], cells[n]) for n in chosen)
        first, _, before = files.setdefault(name, (row, shown(cells[key].strip()), told))
        twice += first != row
        if before != told:
            raise InputError(
                f"{where}, row {row}: {shown(cells[key])[:200]} has other groups than in row "
                f"{first} (config: {KEY})"
            )
    if odd:
        print(f"warning: {where}: {len(odd):,} rows cannot be read, such as {odd[0]}")
    if twice:
        print(f"{where}: {twice:,} rows say the same again")
    if not files:
        raise InputError(f"{where}: no row tells a file's groups (config: {KEY})")
    rows = list(files.values())
    edges = {name.casefold(): sorted(numbers) for name, numbers in bands.items()}
    table = {}
    for place, number in enumerate(chosen):
        column, cells = header[number], [told[place] for _, _, told in rows]
        table[column] = _grouped(column, cells, edges.get(column.casefold()), where)
    index = pd.Index([file for _, file, _ in rows], name="file", dtype=str)
    return pd.DataFrame(table, index, dtype=str)


def _columns(
    header: list[str], wanted: Collection[str] | None, where: str
) -> tuple[int, list[int]]:
    """Numbers of the column that names files, and of those that tell groups."""
    usual = [n for n, name in enumerate(header) if name.casefold() in NAMES["path"].split()]
    key = usual[0] if usual else 0
    others = [n for n, name in enumerate(header) if name and n != key]
    names = [header[n] for n in others]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"{where}: two columns are called {twice[0]!r} (config: {KEY})")
    if missing := [name for name in wanted or [] if name not in names]:
        raise InputError(
            f"{where}: no column {missing[0]!r}, but {listed(names)} (config: audit.columns)"
        )
    chosen = [n for n in others if wanted is None or header[n] in wanted]
    if not chosen:
        raise InputError(
            f"{where}: no column of groups beside {header[key]!r}, which names files "
            f"(config: {KEY})"
        )
    return key, chosen


def _grouped(name: str, cells: list[str], edges: Sequence[int] | None, where: str) -> list[str]:
    """What each cell of a column says: a band, if there are any, else its word."""
    meaning = {cell: _word(cell) for cell in set(cells)}
    if edges and any(_number(word) is not None for word in meaning.values()):
        numbers = {cell: _number(word) for cell, word in meaning.items()}
        strange = [c for c in cells if numbers[c] is None and meaning[c] != NOT_TOLD]
        if strange:
            print(
                f"warning: {where}: {len(strange):,} cells of {name} are no numbers, such as "
                f"{shown(strange[0])[:LONGEST]!r}; they count as {NOT_TOLD}"
            )
        words = band_words(edges)
        meaning = {
            cell: NOT_TOLD if value is None else words[np.searchsorted(edges, value, side="right")]
            for cell, value in numbers.items()
        }
        return [meaning[cell] for cell in cells]
    # One group however it is written: as most of its cells are.
    spelt: dict[str, str] = {}
    for cell, _ in Counter(cells).most_common():
        spelt.setdefault(meaning[cell].casefold(), meaning[cell])
    if len(spelt) > MOST:
        raise InputError(
            f"{where}: {len(spelt):,} different values in column {name!r}, such as "
            f"{listed(sorted(spelt.values())[:3])}; {MOST} at most are groups. Leave it out by "
            f"audit.columns, or cut its numbers by audit.bands"
        )
    return [spelt[meaning[cell].casefold()] for cell in cells]


def _word(cell: str) -> str:
    word = shown(unicodedata.normalize("NFC", " ".join(cell.split())))
    return NOT_TOLD if word.casefold() in EMPTY else word[:LONGEST]


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def band_words(edges: Sequence[int]) -> list[str]:
    """What bands are called, the lowest first: "under 13", "13 to 17", "18 and over"."""
    between = [
        str(low) if low == high - 1 else f"{low} to {high - 1}" for low, high in pairwise(edges)
    ]
    return [f"under {edges[0]}", *between, f"{edges[-1]} and over"]


def match_groups(
    table: pd.DataFrame, sets: Mapping[str, pd.DataFrame], where: str
) -> dict[str, pd.DataFrame]:
    """The groups of each face of each set.

    A face is found by its path, or by its photo's URL or its name if no other face is of that
    photo, or by ``face_id``. A row that fits faces of two sets counts for that whose path it
    gives in full, else for neither.

    Args:
        table: as ``read_groups`` gives it.
        sets: by name, the index of each set of faces.
        where: the table, for messages.

    Returns:
        Of each set a row a face, a column a group; ``NOT_TOLD`` where no row is found.

    Raises:
        InputError: if not one row names a face.
    """
    rows = {file: number for number, file in enumerate(table.index)}
    found = {name: _found(rows, index, where) for name, index in sets.items()}
    everywhere = Counter(row for of_set in found.values() for row in of_set)
    lost = []
    for row in (row for row, count in everywhere.items() if count > 1):
        whole = [name for name, of_set in found.items() if of_set.get(row, (0, False))[1]]
        if len(whole) != 1:
            lost.append(row)
        for name, of_set in found.items():
            if [name] != whole:
                of_set.pop(row, None)
    if lost:
        print(
            f"warning: {where}: {len(lost):,} rows fit faces of more than one set, such as "
            f"{table.index[lost[0]][:200]}; they count for none"
        )
    used = sum(map(len, found.values()))
    if not used:
        name, index = next((n, i) for n, i in sets.items() if len(i))
        raise InputError(
            f"{where}: none of its {len(table):,} rows names a face, such as "
            f"{table.index[0][:200]}; faces of the {name} are called "
            f"{shown(_names(index)[0])[:200]} (config: {KEY})"
        )
    print(f"{where}: {used:,} of {len(table):,} rows name a face")
    matched = {}
    for name, index in sets.items():
        row_of = np.full(len(index), -1)
        for row, (face, _) in found[name].items():
            row_of[face] = row
        told = table.iloc[np.maximum(row_of, 0)].reset_index(drop=True)
        matched[name] = told.where(pd.Series(row_of >= 0), NOT_TOLD)
        print(f"{(row_of >= 0).sum():,} of {len(index):,} faces of the {name} have a row")
    return matched


def _names(index: pd.DataFrame) -> list[str]:
    """What the faces of a set are called: the path of each, or its photo's URL without a query."""
    if "path" in index:
        return list(map(str, index["path"]))
    return [url.partition("?")[0].partition("#")[0] for url in map(str, index["url"])]


def _found(rows: Mapping[str, int], index: pd.DataFrame, where: str) -> dict[int, tuple[int, bool]]:
    """By row of the table, the face that it names, and whether it gives all of its path."""
    names = _names(index)
    faces = {name: face for face, name in enumerate(names)}
    if several := {name for name, count in Counter(names).items() if count > 1}:
        for name in several:
            del faces[name]
        print(f"{where}: {len(several):,} photos have several faces, found by face_id alone")
    ends = {end for name in faces for end in _ends(name)}
    near = [file for file in rows if ends.intersection(_ends(file))]
    found = {
        rows[file]: (faces[name], parts_of(file) == parts_of(name))
        for file, name in match(near, faces, where).items()
    }
    for column in {"face_id", "url"} & set(index):
        once = ~index[column].duplicated(keep=False)
        told = zip(np.flatnonzero(once), index.loc[once, column], strict=True)
        found |= {rows[name]: (int(face), True) for face, name in told if name in rows}
    return found


def _ends(path: str) -> Iterable[str]:
    """By which a path may be matched: its file's name in small letters, with and without ending."""
    name = unicodedata.normalize("NFC", (parts_of(path) or ("",))[-1]).casefold()
    return {name, name.rpartition(".")[0] or name}
