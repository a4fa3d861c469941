"""A table's paths and a folder's files, matched where there is no doubt."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Final

from facesort.common.trees import shown


def parts_of(path: str) -> tuple[str, ...]:
    """The folders and the name that a path consists of; Windows' separators are understood."""
    return tuple(
        part for part in path.strip().replace("\\", "/").split("/") if part not in ("", ".")
    )


def _same(part: str) -> str:
    return part


def _folded(part: str) -> str:
    # Macs store accents apart from their letters.
    return unicodedata.normalize("NFC", part).casefold()


def _without_ending(name: str) -> str:
    stem, dot, _ = _folded(name).rpartition(".")
    return stem if dot else _folded(name)


# How alike two paths must be, the strictest first: what is said of it; folders; the name in the
# table, and the file's.
Fold = Callable[[str], str]
WAYS: Final[tuple[tuple[str, Fold, Fold, Fold], ...]] = (
    ("before their own folder or name", _same, _same, _same),
    ("in upper and lower case", _folded, _folded, _folded),
    # First those without an ending, which may have dots: v1.5 for v1.5.jpg.
    ("in their ending", _folded, _folded, _without_ending),
    ("in their ending", _folded, _without_ending, _without_ending),
)


def match(paths: Iterable[str], files: Collection[str], where: str) -> dict[str, str]:
    """Find each path's file, and say in a line what had to be overlooked.

    Two paths match if they are equal from the end as far as the shorter one goes, or in name and
    folder at least; then the same in other letters; then with another ending. It is beyond doubt
    only if no other path and no other file match as well.

    Args:
        paths: as a table writes them: relative, absolute, from Windows, or bare names.
        files: paths relative to the set's folder, with "/".
        where: the table, for messages.

    Returns:
        The file of each path that has one; no file twice.
    """
    rows = {path: parts for path in dict.fromkeys(paths) if (parts := parts_of(path))}
    # Windows' archives may unpack to files with "\\" in their names.
    places = {file: parts for file in files if (parts := parts_of(file))}
    exact = {parts: file for file, parts in places.items()}
    exact |= {tuple(file.split("/")): file for file in files}
    found: dict[str, str] = {}
    for path, parts in rows.items():
        if file := exact.pop(parts, None):
            found[path] = file
    for told, folder, *names in WAYS:
        if len(found) in (len(rows), len(places)):
            break
        ours, theirs = (
            {path: (*map(folder, parts[:-1]), name(parts[-1])) for path, parts in side.items()}
            for name, side in zip(names, (rows, places), strict=True)
        )
        new = _match_from_the_end(ours, theirs, found)
        if new:
            path, file = next(iter(new.items()))
            print(
                f"{where}: {len(new):,} paths differ from their files {told}, such as "
                f"{shown(path)} and {shown(file)}; they are matched"
            )
        found |= new
    return found


def _match_from_the_end(
    paths: dict[str, tuple[str, ...]], files: dict[str, tuple[str, ...]], found: dict[str, str]
) -> dict[str, str]:
    """New matches, the longest first; what was found before counts as a rival."""
    new: dict[str, str] = {}
    taken = set(found.values())
    deepest = min(max(map(len, side.values())) for side in (paths, files))
    for length in range(deepest, 0, -1):
        ends: dict[tuple[str, ...], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for side, every in enumerate((paths, files)):
            for path, parts in every.items():
                if len(parts) >= length:
                    ends[parts[-length:]][side].append(path)
        for ours, theirs in ends.values():
            if len(ours) != 1 or len(theirs) != 1:
                continue
            path, file = ours[0], theirs[0]
            if path in found or path in new or file in taken:
                continue
            # A name alone says too little where both tell a folder.
            if length > 1 or min(len(paths[path]), len(files[file])) == 1:
                new[path] = file
                taken.add(file)
    return new
