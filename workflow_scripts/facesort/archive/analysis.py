"""The photos of a bucket: read, their faces found and read, and all of it kept in the journal."""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pyarrow.parquet as pq

from facesort.archive import raw_previews, shot, xmp
from facesort.archive.face_detector import WIDTH, FaceDetector
from facesort.archive.face_reader import ENOUGH, FaceReader, Reading, numbers, sure_faces, upright
from facesort.archive.journal import Face, File, Journal, Photo
from facesort.archive.model_crops import ModelCrops
from facesort.archive.pictures import preview, thumbnail
from facesort.common.job import Progress
from facesort.common.trees import time_of
from facesort.fetch.imaging import ImageError, read_file, read_photo
from facesort.fetch.imaging import Photo as Decoded

# Photos whose movements are measured together: fewer take longer, and a kill loses as many.
BATCH: Final = 16
# A file that has changed within so many seconds may still grow.
SETTLED: Final = 10.0
# A file over which the program has ended so often is not tried again.
TRIES: Final = 3
# Settings by which files are refused, and no number of a photo changes.
LIMITS: Final = ("max_bytes", "max_pixels")
# As of ``Journal.told``.
Told = dict[str, list[Any]]
UNREADABLE: Final = "unreadable"
GROWS: Final = "it still grows; the next run reads it"


@dataclass
class Seen:
    """A photo whose faces are found, and whose movements are not measured yet.

    Attributes:
        photo: without faces.
        faces: (N, ``WIDTH``), in pixels of the whole photo.
        thumbnails, seen: of each face a JPEG, and what a model sees of it.
    """

    photo: Photo
    faces: np.ndarray
    reading: Reading
    thumbnails: list[bytes]
    seen: list[bytes]


# With the file that holds it, and the journal that is to know it.
_Waiting = tuple[File, Journal, Seen]


class Analysis:
    """Analyses photos; holds the networks.

    Args:
        folder: the archive, which is only read.
        settings: ``detect_at``, ``tiles``, ``min_face``, ``max_bytes`` and ``max_pixels`` of the
            config's block.
        crops: cuts out what a model sees of a face, if a model answers that sees more than
            movements.
    """

    def __init__(
        self,
        folder: str,
        settings: dict[str, Any],
        crops: ModelCrops | None = None,
    ) -> None:
        # A job is one thread; there are as many jobs as cores.
        cv2.setNumThreads(1)
        self.folder, self.settings, self.crops = folder, settings, crops
        self.detector = FaceDetector(settings["detect_at"], settings["tiles"])
        self.reader = FaceReader(settings["min_face"])

    def run(self, files: Iterable[tuple[File, Journal]]) -> Iterator[tuple[File, bool]]:
        """Analyse the files that their journals do not know; each ends up in its journal.

        But for those that still grow or cannot be read now: the next run tries these again.

        Yields:
            Each file that the journal did not have, with a reason if it does not have it now; and
            whether it was analysed.
        """
        batch: list[_Waiting] = []
        late = []
        for file, journal in files:
            if journal.known(file):
                continue
            if time.time() - file.time / 1e9 < SETTLED:
                late.append((file, journal))
            else:
                yield self._one(file, journal, batch)
        if late:
            time.sleep(SETTLED)
        for file, journal in late:
            yield self._one(file, journal, batch)
        self._keep(batch)

    def _one(self, file: File, journal: Journal, batch: list[_Waiting]) -> tuple[File, bool]:
        try:
            path = self._path(file.file)
            data = read_file(path, self.settings["max_bytes"])
            about = os.stat(path)  # noqa: PTH116
            if (about.st_size, time_of(about), len(data)) != (file.size, file.time, file.size):
                return file._replace(reason=GROWS), False
            sidecar = xmp.read(self._path(file.sidecar)) if file.sidecar else None
            told = xmp.orientation(sidecar)
            file = file._replace(told=json.dumps(xmp.told(sidecar, *xmp.inside(data))))
            content = f"{hashlib.sha256(data).hexdigest()}/{told or 0}"
            if any(seen.photo.content == content for _, _, seen in batch):
                self._keep(batch)
            if journal.has(content):
                journal.add(file._replace(content=content))
                return file, False
            with journal.decoding(file.file) as ended:
                if ended >= TRIES:
                    raise ImageError(f"the program ended {ended} times on it")
                seen = self.look(content, data, told, raw_previews.is_raw(os.fsdecode(file.file)))
                batch.append((file, journal, seen))
        except OSError as error:
            return file._replace(reason=f"{UNREADABLE}: {error.strerror or error}"), False
        except ImageError as error:
            refused = file._replace(reason=str(error))
            # The disk may be at fault, and not the file: then the next run tries again.
            if refused.reason.startswith(UNREADABLE):
                return refused, False
            journal.add(refused)
            return file, False
        if len(batch) == BATCH:
            self._keep(batch)
        return file, True

    def _path(self, name: bytes) -> str:
        return os.path.join(self.folder, os.fsdecode(name))  # noqa: PTH118

    def look(self, content: str, data: bytes, told: int | None, raw: bool) -> Seen:
        """Find the faces of a photo, and look at each.

        Args:
            content: what the photo is to be known by.
            data: its file.
            told: orientation, as of ``read_photo``.
            raw: whether it is a camera's raw file, by its name.

        Raises:
            ImageError: if it is no photo that we take.
        """
        settings = self.settings

        def decode(side: int | None) -> Decoded:
            way = raw_previews.read_raw if raw else read_photo
            return way(data, settings["max_pixels"], side, told)

        def read(photo: Decoded, faces: np.ndarray) -> tuple[Decoded, np.ndarray, Reading]:
            """Read faces, from a larger picture where they are small in this one."""
            scale, sides = float(photo.scale.min()), faces[:, 2:4].min(1, initial=np.inf)
            least = sides[sides * scale >= settings["min_face"]].min(initial=np.inf)
            if scale > 1 and least < ENOUGH:
                larger = decode(int(max(photo.pixels.shape[:2]) * ENOUGH / least))
                faces = enlarged(faces, photo.scale / larger.scale)
                photo = larger
            return photo, faces, self.reader.read(photo.pixels, faces, float(photo.scale.min()))

        try:
            first = decode(None if settings["tiles"] else settings["detect_at"])
            small, sharp = preview(first.pixels), shot.sharpness(first.pixels)
            photo, faces, reading = read(first, self.detector.find(first.pixels))
            turns = 0
            if not (sure_faces(faces, reading) & upright(faces)).any():
                found, tried = self.detector.find_turned(first.pixels)
                again = read(first, found)
                if sure_faces(*again[1:]).sum() >= max(1, sure_faces(faces, reading).sum()):
                    (photo, faces, reading), turns = again, tried
        except (MemoryError, cv2.error) as error:
            raise ImageError("too large for the memory", error) from None
        thumbnails = [thumbnail(photo.pixels, face[:4]) for face in faces]
        seen = [b""] * len(faces)
        if self.crops:
            for row in np.flatnonzero(reading.presence > 0):
                seen[row] = self.crops(photo.pixels, faces[row, :4], reading.points[row])
        taken, burst = shot.taken(data)
        about = (photo.width, photo.height, photo.orientation, turns, taken, burst, sharp, small)
        faces = enlarged(faces, photo.scale)
        return Seen(Photo(content, *about, []), faces, reading, thumbnails, seen)

    def _keep(self, batch: list[_Waiting]) -> None:
        """Measure the movements of a batch, and write it to the journals."""
        if not batch:
            return
        faces = np.concatenate([np.zeros((0, WIDTH)), *(seen.faces for _, _, seen in batch)])
        found = numbers(faces, Reading.joined([seen.reading for _, _, seen in batch]))
        for file, journal, seen in batch:
            rows, found = np.split(found, [len(seen.faces)])
            parts = zip(rows, seen.thumbnails, seen.seen, strict=True)
            photo = seen.photo._replace(faces=[Face(*each) for each in parts])
            journal.add(file._replace(content=photo.content), photo)
        batch.clear()


@contextmanager
def analyse_buckets(
    listing: str, buckets: list[int], state: Path, analysis: Analysis
) -> Iterator[tuple[Iterator[tuple[str, Photo | str, Told]], int]]:
    """Analyse what is new in some buckets, and forget what is gone.

    Args:
        listing: as of ``list_archive``.
        state: folder of the journals.

    Yields:
        Each file of the buckets, sorted by its path as text, with the photo that it holds or why it
        is refused, and what XMP tells of it, as of ``Journal.told``; and how many photos were
        analysed.
    """
    settings, limits = dict(analysis.settings), {}
    for key in LIMITS:
        limits[key] = settings.pop(key)
    if analysis.crops:
        settings["crops"] = analysis.crops.key()
    about = [json.dumps(each, sort_keys=True) for each in (settings, limits)]
    rows = pq.read_table(listing, filters=[("bucket", "in", buckets)]).to_pylist()
    with ExitStack() as stack:
        journals: dict[int, Journal] = {}
        for bucket in buckets:
            path = state / f"{bucket:02d}.sqlite"
            if path.exists() or any(row["bucket"] == bucket for row in rows):
                journals[bucket] = stack.enter_context(Journal(path, *about))
        columns = File._fields[:5]
        files = [(File(*map(row.get, columns)), journals[row["bucket"]]) for row in rows]
        progress, count, late = Progress(len(rows), "photos", "photos"), 0, {}
        for file, analysed in analysis.run(files):
            count += analysed
            if file.reason:
                late[file.file] = file.reason
            progress.update(1)
        progress.close()
        for journal in journals.values():
            journal.forget_others(file.file for file, of in files if of is journal)

        def every() -> Iterator[tuple[str, Photo | str, Told]]:
            for row, (file, journal) in sorted(
                zip(rows, files, strict=True), key=lambda pair: pair[0]["photo"]
            ):
                known = journal.known(file)
                if known and known.content:
                    yield row["photo"], journal.photo(known.content), journal.told(known)
                else:
                    yield row["photo"], known.reason if known else late[file.file], {}

        yield every(), count


def enlarged(faces: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Faces (N, ``WIDTH``) in pixels of a photo so many times as large: (2,), x and y."""
    faces = faces.astype(np.float64)
    faces[:, [0, 2, *range(5, WIDTH, 2)]] *= scale[0]
    faces[:, [1, 3, *range(6, WIDTH, 2)]] *= scale[1]
    return faces
