"""Raw files of cameras, seen by the JPEG preview that they hold.

Cameras put one or more JPEGs into a raw file; the largest that can be decoded is shown. The raw
data themselves are not developed.
"""

import io
import re
from pathlib import PurePath
from typing import Final

from PIL import ExifTags, Image

from facesort.fetch.imaging import ImageError, Photo, read_photo

ENDINGS: Final = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef"),
    *(".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2"),
    *(".srf", ".srw", ".x3f"),
)
# Marks the start of a JPEG. A file may be full of them to keep us busy.
START: Final = re.compile(rb"\xff\xd8\xff")
MOST: Final = 200


def is_raw(path: str) -> bool:
    """Whether a file's name is that of a raw file."""
    return PurePath(path).suffix.lower() in ENDINGS


def read_raw(data: bytes, max_pixels: int, side: int | None, told: int | None) -> Photo:
    """The largest preview in a raw file; arguments and errors are those of ``read_photo``."""
    previews = []
    for match, _ in zip(START.finditer(data), range(MOST), strict=False):
        try:
            with Image.open(io.BytesIO(data[match.start() :]), formats=["JPEG"]) as image:
                previews.append((image.width * image.height, match.start()))
        except Exception:  # not a JPEG after all
            continue
    told = told or _orientation(data)
    for _, start in sorted(previews, reverse=True):
        try:
            return read_photo(data[start:], max_pixels, side, told)
        except ImageError as error:
            wrong = error  # raw data are lossless JPEGs in some files, which nothing here decodes
    raise wrong if previews else ImageError("a raw file without a preview")


def _orientation(data: bytes) -> int | None:
    """That of a raw file which is a TIFF; None for others: the preview may have its own."""
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + data)
        orientation = exif.get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises many kinds
        return None
    return orientation if orientation in range(1, 9) else None
