"""Folders of a person's files: links followed with care, names of any bytes.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# What archives and file managers leave behind, besides names that begin with a dot.
CLUTTER = ("__macosx", "thumbs.db", "desktop.ini")


class Entry(NamedTuple):
    """What lies in a folder: ``path`` is relative to where the walk began, with "/".

    ``kind`` is "file", "folder", or why it is neither. ``size`` (bytes) and ``time`` (ns) are of
    the file itself, behind any links.
    """

    path: str
    kind: str
    size: int = 0
    time: int = 0


def walk(folder: str | Path) -> Iterator[Entry]:
    """All that lies below a folder, but for clutter; links are followed.

    Every folder is entered once, however many links lead to it, and no link leads to a folder that
    holds the whole tree: so the walk ends. What is neither a file nor a folder is named and never
    opened. Bytes of a name that are no UTF-8 stand in ``path`` as ``os.fsdecode`` gives them.
    """
    root = os.path.realpath(folder)
    entered = {_identity(os.stat(above)) for above in _upwards(root)}  # noqa: PTH116
    todo = [""]
    while todo:
        inside = todo.pop()
        try:
            with os.scandir(os.path.join(root, inside)) as found:  # noqa: PTH118
                # A folder's own place goes before a link to it.
                entries = sorted(found, key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError as error:
            yield Entry(inside, str(error.strerror))
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in CLUTTER:
                continue
            path = f"{inside}/{entry.name}" if inside else entry.name
            try:
                about = entry.stat()
            except OSError as error:
                why = "a link that leads nowhere" if entry.is_symlink() else error.strerror
                yield Entry(path, str(why))
                continue
            if stat.S_ISREG(about.st_mode):
                yield Entry(path, "file", about.st_size, time_of(about))
            elif not stat.S_ISDIR(about.st_mode):
                yield Entry(path, "neither a file nor a folder")
            elif _identity(about) in entered:
                yield Entry(path, "a folder that is read in another place or holds this one")
            else:
                entered.add(_identity(about))
                yield Entry(path, "folder")
                todo.append(path)


def time_of(about: os.stat_result) -> int:
    """When a file was changed, in nanoseconds; 2262 at most, as tables hold no later date."""
    return min(about.st_mtime_ns, 2**63 - 1)


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino


def _upwards(root: str) -> Iterator[str]:
    """A folder and those that hold it, as far as they exist."""
    if os.path.isdir(root):  # noqa: PTH112
        yield root
        yield from map(str, Path(root).parents)


def shown(name: str) -> str:
    r"""A name as text to print and to store: what is no UTF-8, or does not print, as \xff."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
