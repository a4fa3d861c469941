"""Sidecars: XMP files beside photos, whose orientation wins over the photo's own.

``photo.jpg.xmp`` is digiKam's and darktable's name for it, ``photo.xmp`` Lightroom's. The first is
taken where there are both. Nothing is parsed as XML, so no entity or depth can do harm.
"""

import re
from pathlib import PurePosixPath
from typing import Final

from facesort.fetch.imaging import ImageError, read_file

ENDING: Final = ".xmp"
# A larger one is not read.
MOST_BYTES: Final = 10_000_000
# As an attribute or as an element.
ORIENTATION: Final = re.compile(rb"""tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])\s*["'<]""")


def names(path: str) -> tuple[str, str]:
    """What a photo's sidecar may be called, in lower case, the one that wins first."""
    path = path.lower()
    return path + ENDING, str(PurePosixPath(path).with_suffix(ENDING))


def orientation(path: str) -> int | None:
    """The orientation that a sidecar tells, 1 to 8; None if it tells none or cannot be read."""
    try:
        found = ORIENTATION.search(read_file(path, MOST_BYTES))
    except ImageError:
        return None
    return int(found[1]) if found else None
