"""What becomes of each photo's sidecar; doing it, and undoing it."""

import csv
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from facesort.archive.joining import CSV, PHOTOS, Sorted
from facesort.archive.raw_previews import is_raw
from facesort.archive.tables import APPARENT, BOX
from facesort.archive.xmp import XmpError, embedded, names, parse
from facesort.common.arrays import write_whole
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, Progress
from facesort.common.limits import SHORT
from facesort.common.trees import shown, time_of
from facesort.fetch.imaging import stored_box
from facesort.sidecars.files import check_folder, clear, content, is_there, replace
from facesort.sidecars.ledger import Ledger, Row, digest
from facesort.sidecars.merging import Face, Inside, Wrote, beginning, canonical, merged, taken_out

# Sidecars whose rows are brought to the disk together.
BATCH: Final = 100
PROBABILITIES: Final = (*APPARENT, *EMOTIONS)
COLUMNS: Final = ("photo", "sidecar", "what", "done", "reason")
# What may become of a sidecar, beside "unchanged", "left alone" and "nothing to tell".
CHANGES: Final = ("new", "merged", "updated", "taken out")


class Photo(NamedTuple):
    """A photo that was read: its path as text and as it is, and the sidecar that it has."""

    photo: str
    file: str
    sidecar: str
    sidecar_time: int
    width: int
    height: int
    orientation: int


class Step(NamedTuple):
    """What becomes of a sidecar: words, and if it changes, what it holds now and is to hold."""

    photo: str
    path: str
    what: str
    reason: str = ""
    held: bytes | None = None
    data: bytes | None = None
    known: Row | None = None
    row: Row | None = None


@dataclass
class Writer:
    """Plans and writes sidecars.

    Args:
        folder: the archive.
        to: the folder below which sidecars go; None puts them beside the photos.
        flat: whether tags also go into dc:subject.
        write: whether anything is written.
        ledger: knows what was written before.
    """

    folder: str
    to: str | None
    flat: bool
    write: bool
    ledger: Ledger

    def run(self, photos: Sequence[Photo], faces: str) -> Iterator[tuple[str, ...]]:
        """What becomes of the sidecar of each photo: rows of ``COLUMNS``, in order.

        Args:
            photos: sorted by photo.
            faces: path of ``faces.parquet``.
        """
        if self.ledger.knows(os.fsencode(self._root())) and not is_there(self._root()):
            raise InputError(
                f"{self._root()}: missing or empty, though sidecars were written there; if its "
                f"disk is away, bring it back; if you deleted them, delete {self.ledger.path} too"
            )
        table, places = Sorted([faces]), targets(photos)
        progress = Progress(len(photos), "sidecars", "photos")
        for start in range(0, len(photos), PHOTOS):
            chunk = photos[start : start + PHOTOS]
            rows = table.upto(chunk[-1].photo)
            rows = rows.loc[rows["state"] == "answered", ["photo", *BOX, *PROBABILITIES, "tags"]]
            of_photo: dict[str, list[dict[Any, Any]]] = defaultdict(list)
            for row in rows.to_dict("records"):
                of_photo[row["photo"]].append(row)
            for first in range(0, len(chunk), BATCH):
                batch = chunk[first : first + BATCH]
                yield from self._do(
                    [self._step(each, *places[each.photo], of_photo[each.photo]) for each in batch]
                )
                progress.update(len(batch))
        progress.close()

    def _step(self, photo: Photo, name: str, own: bool, rows: list[dict[Any, Any]]) -> Step:
        """What is to become of a photo's sidecar.

        Args:
            name: its path below ``to`` or the archive.
            own: whether there is one beside the photo that is the photo's alone.
            rows: of its answered faces.
        """
        root = self._root()
        path = os.path.join(root, name)  # noqa: PTH118
        about = (photo.photo, path)
        try:
            check_folder(path, root)
            held, known = content(path), self.ledger.get(os.fsencode(path))
            if not rows and not known:
                return Step(*about, "nothing to tell")
            # What a person has changed is read first, as it may be a review.
            touched = held is not None and not (known and known.untouched(held))
            if touched and not self.to and time_of(os.stat(path)) != photo.sidecar_time:  # noqa: PTH116
                raise XmpError("it has changed since the photos were read; run again")
            base = held
            if known:
                base = known.left(held)
            elif held is not None:
                base = taken_out(held, None)
            data, wrote, began = base, Wrote(), None
            if rows:
                inside = cache(partial(self._inside, photo))
                start = self._beginning(photo, own, inside) if base is None else base
                began = digest(canonical(parse(start))) if base is None else None
                faces = [_face(photo, row) for row in rows]
                data, wrote = merged(start, faces, self.flat, inside)
        except XmpError as error:
            return Step(*about, "left alone", str(error))
        if data == held and known:
            return Step(*about, "unchanged")
        if rows:
            what = "new" if held is None else "updated" if known else "merged"
        else:
            what = "taken out"
        places = (os.fsencode(path), photo.photo, os.fsencode(root))
        row = Row(*places, base, began, digest(held), digest(data), json.dumps(wrote))
        return Step(*about, what, "", held, data, known, row)

    def _root(self) -> str:
        return os.path.abspath(self.to or self.folder)  # noqa: PTH100

    def _beginning(self, photo: Photo, own: bool, inside: Callable[[], Inside]) -> bytes:
        """What a new sidecar starts from: one beside the photo, else what is inside the photo."""
        beside = content(self._path(photo.sidecar)) if own and self.to else None
        if beside is not None:
            return taken_out(beside, None)
        return beginning(inside()[0], photo.orientation)

    def _inside(self, photo: Photo) -> Inside:
        try:
            packet, iptc = embedded(self._path(photo.file))
            return parse(taken_out(packet, None)) if packet else None, iptc
        except OSError as error:
            raise XmpError(f"the photo cannot be read: {error.strerror}") from None
        except XmpError as error:
            raise XmpError(f"the XMP inside the photo: {error}") from None

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)  # noqa: PTH118

    def _do(self, steps: list[Step]) -> Iterator[tuple[str, ...]]:
        """Write the sidecars that change, once the ledger knows what they hold."""
        changes = [step for step in steps if step.row] if self.write else []
        self.ledger.change(_until_written(step.known, step.row) for step in changes if step.row)
        failed: dict[str, str] = {}
        for step in changes:
            try:
                replace(step.path, step.data, step.held)
            except XmpError as error:
                failed[step.path] = str(error)
        self.ledger.change(
            [
                row
                for step in changes
                if step.known and (row := step.known if step.path in failed else step.row)
            ],
            [
                os.fsencode(step.path)
                for step in changes
                if (not step.known if step.path in failed else step.what == "taken out")
            ],
        )
        for step in steps:
            words = (step.what, "yes" if step in changes else "no", step.reason)
            if step.path in failed:
                words = ("left alone", "no", failed[step.path])
            yield (step.photo, shown(step.path), *words)


def _until_written(known: Row | None, row: Row) -> Row:
    """A row that tells of what is still in the file, too: a kill may come before the new words."""
    if known is None:
        return row
    wrote = row.written()
    for name, (made, _, own) in known.written().items():
        again = wrote.get(name, (made, None, []))
        wrote[name] = again[0], None, list(dict.fromkeys([*again[2], *own]))
    return row._replace(wrote=json.dumps(wrote))


def targets(photos: Iterable[Photo]) -> dict[str, tuple[str, bool]]:
    """Of each photo its sidecar's path below the archive, and whether that is there and its own.

    ``photo.jpg.xmp``, but ``photo.xmp`` for raw files and where there is one. Of several photos
    that would share it a raw file has it, else the first.
    """
    found: dict[str, tuple[str, bool]] = {}
    claimed: set[str] = set()
    photos = list(photos)
    wholes = {names(photo.file)[0] for photo in photos}
    for photo in sorted(photos, key=lambda photo: not is_raw(photo.file)):
        whole, short = names(photo.file)
        name = photo.sidecar or (short if is_raw(photo.file) else whole)
        if name.lower() in claimed or name in wholes:
            name = whole
        claimed.add(name.lower())
        found[photo.photo] = name, name == photo.sidecar
    return found


def _face(photo: Photo, row: dict[Any, Any]) -> Face:
    left, top = row["left"] / photo.width, row["top"] / photo.height
    box = (left, left + row["width"] / photo.width, top, top + row["height"] / photo.height)
    told = {name: row[name] for name in PROBABILITIES if not np.isnan(row[name])}
    tags = row["tags"].split(";") if row["tags"] else []
    return Face(stored_box(box, photo.orientation), tags, told)


def read_photos(photos: str, listing: str) -> list[Photo]:
    """The photos of an archive, sorted, by its tables."""
    read = pd.read_parquet(photos, columns=["photo", "width", "height", "orientation"])
    listed = pd.read_parquet(listing, columns=["photo", "file", "sidecar", "sidecar_time"])
    every = read.merge(listed, on="photo", validate="1:1").sort_values("photo")
    every[["file", "sidecar"]] = every[["file", "sidecar"]].map(os.fsdecode)
    return [Photo(*row) for row in every[list(Photo._fields)].itertuples(index=False)]


def write_table(rows: Iterable[tuple[str, ...]], path: str) -> Counter[str]:
    """Write rows of ``COLUMNS`` as they come; returns how many of each ``what`` there are."""
    counts: Counter[str] = Counter()
    with write_whole(path) as part, part.open("w", encoding=CSV, newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            table.writerow(row)
            counts[row[2]] += 1
    return counts


def closing_words(counts: Counter[str], write: bool) -> list[str]:
    """What became of how many sidecars, or would, a line each."""
    words = [f"{count:,} {what}" for what, count in sorted(counts.items())]
    changes = sum(counts[what] for what in CHANGES)
    lines = [f"{counts.total():,} photos: " + ", ".join(words), SHORT]
    if counts["left alone"]:
        lines.append("why some were left alone: the column reason of results/archive/sidecars.csv")
    if changes and not write:
        lines.append(
            f"nothing was written; {changes:,} sidecars would be, with archive.write: true"
        )
    return lines


def undo(ledger: Ledger, paths: list[bytes] | None = None) -> Iterator[tuple[str, ...]]:
    """Take out of each sidecar, or of some, what was written: rows of ``COLUMNS``.

    One that nobody has changed since is what it was before, byte for byte, and gone if there was
    none. Of others our tags and regions alone are taken out.
    """
    paths = ledger.paths() if paths is None else paths
    there = cache(is_there)  # before anything is undone: the last sidecar may leave a folder empty
    for start in range(0, len(paths), BATCH):
        done = []
        for path in paths[start : start + BATCH]:
            row, name = ledger.get(path), os.fsdecode(path)
            assert row
            what, reason = "left alone", ""
            try:
                root = os.fsdecode(row.root)
                if not there(root):
                    raise XmpError(
                        f"{root} is missing or empty; if its disk is away, bring it back"
                    )
                check_folder(name, root)
                what = _undo(row, name)
                done.append(path)
            except XmpError as error:
                reason = str(error)
            yield row.photo, shown(name), what, "no" if reason else "yes", reason
        ledger.change([], done)


def _undo(row: Row, path: str) -> str:
    held = content(path)
    clear(path)
    left = row.left(held)
    if left != held:
        replace(path, left, held)
    if left == row.before:
        return "as it was"
    return "gone" if left is None else "taken out"
