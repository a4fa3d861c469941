"""What every layout gives: a row an image, what is left out and why, how to read the pictures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import nan
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from facesort.common.job import InputError
from facesort.common.trees import shown, walk
from facesort.fetch.imaging import ImageError, read_file, read_image

MOST_BYTES: Final = 50_000_000
MOST_PIXELS: Final = 100_000_000
# What names of images end in, whether or not they can be read.
IMAGES: Final = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp"),
    *(".tif", ".tiff", ".pgm", ".ppm", ".pnm", ".avif", ".heic", ".heif"),
)


class Row(NamedTuple):
    """An image and what its set says of it.

    Attributes:
        path: of its file, relative with "/"; of one inside a table, the table's, ":" and its row.
        label: one of the eight emotions.
        relFCs: how sure the label is (0 to 1), NaN where the set does not say.
        part: the set's own split: "train", "val", "test", or None.
        box: of the face in the photo, in pixels: left, top, right, bottom; None is the whole.
        source: where ``pictures`` finds it, if ``path`` does not say: its file, or its row.
    """

    path: str
    label: str
    relFCs: float = nan
    part: str | None = None
    box: tuple[int, int, int, int] | None = None
    source: int | str | None = None


# Reads one picture, in whichever thread calls it: uint8 (height, width, 3), RGB.
Picture = Callable[[], np.ndarray]


@dataclass
class Listing:
    """A labelled set as its layout lists it.

    Attributes:
        rows: the images, in the order in which ``pictures`` reads them.
        refused: (path, reason) of what else the set names or holds.
        pictures: given some of the rows in their order, one picture a row.
        tables: files that hold labels or the images themselves.
    """

    rows: list[Row]
    refused: list[tuple[str, str]]
    pictures: Callable[[Sequence[Row]], Iterable[Picture]]
    tables: Sequence[str] = ()


@dataclass(frozen=True)
class Settings:
    """How the labelled set is read: keys of ``data`` in the config (docs/config.md)."""

    label_from: str = "labels.csv"
    min_relfcs: float | None = None
    layout: str = "auto"
    table: str | None = None
    columns: dict[str, str | None] = field(default_factory=dict)
    numbers: str | list[str] = "auto"
    unmatched: float = 0.1

    def known(self, order: str) -> "Settings":
        """The same with a layout's own order of numbers, unless the config says another."""
        return replace(self, numbers=order) if self.numbers == "auto" else self


class Tree:
    """The files and folders of a labelled set.

    Attributes:
        root: the folder.
        files, folders: their paths, sorted, relative with "/"; clutter is left out.
        refused: (path, reason) of what is neither.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            what = "not a folder" if self.root.exists() else "no such folder"
            raise InputError(f"{root}: {what} (config: data.labelled)")
        found = sorted(walk(root))
        self.files = [entry.path for entry in found if entry.kind == "file"]
        self.folders = [entry.path for entry in found if entry.kind == "folder"]
        self.refused = [(e.path, e.kind) for e in found if e.kind not in ("file", "folder")]

    def named(self, *names: str) -> list[str]:
        """The files of these names, in any folder, in any letters."""
        return [path for path in self.files if path.rpartition("/")[2].casefold() in names]

    def images(self) -> list[str]:
        return [path for path in self.files if is_image(path)]

    def tell(self, path: str) -> str:
        """A path as messages show it."""
        return shown(f"{self.root}/{path}".rstrip("/"))


def is_image(path: str) -> bool:
    """Whether a file's name is that of an image."""
    return path.casefold().endswith(IMAGES)


def read_files(root: Path) -> Callable[[Sequence[Row]], Iterator[Picture]]:
    """Pictures that are files of their own."""

    def pictures(rows: Sequence[Row]) -> Iterator[Picture]:
        for row in rows:
            yield partial(read_picture, f"{root}/{row.source or row.path}", row.box)

    return pictures


def read_picture(path: str, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Decode an image's file, or what of it lies in a box.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        ImageError: if it cannot be read, has too many bytes or pixels, or nothing in the box.
    """
    image = read_image(read_file(path, MOST_BYTES), MOST_PIXELS)
    if box is None:
        return image
    left, top, right, bottom = (max(0, edge) for edge in box)
    image = image[top:bottom, left:right]
    if not image.size:
        raise ImageError("the box is empty or outside the photo")
    return image
