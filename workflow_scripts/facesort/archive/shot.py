"""A photo as one of several shots: when it was taken, of which burst it is, and how sharp it is."""

import calendar
import io
import re
import time
from typing import Final

import cv2
import numpy as np
from PIL import ExifTags, Image

from facesort.archive.pictures import halved
from facesort.fetch.imaging import FORMATS

# Apple's maker note: a TIFF directory behind 14 bytes, and in it the burst's name.
APPLE: Final = b"Apple iOS\0"
AS_TIFF: Final = b"MM\0*\0\0\0\x0e"
BURST_UUID: Final = 0x0B
# Google's, in the XMP within the photo; as an attribute or as an element.
BURST_ID: Final = re.compile(rb"""GCamera:BurstID\s*(?:=\s*["']|>)\s*([\w-]{1,64})\s*["'<]""")
# Sharpness is looked at with the longer side at least so large, in so many tiles a side.
SIDE, TILES = 512, 16


def taken(data: bytes) -> tuple[int | None, str]:
    """When a photo was taken, and the name of its burst.

    Args:
        data: a whole file; also a raw one that is a TIFF.

    Returns:
        Milliseconds since 1970 by the camera's own clock, whatever its zone, or None; and the name
        that the camera gave the burst, or "".
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            about = image.getexif().get_ifd(ExifTags.IFD.Exif)
            packet = image.info.get("xmp", b"")
    except Exception:  # hostile EXIF raises many kinds
        return None, ""
    named = BURST_ID.search(packet) if isinstance(packet, bytes) else None
    return _time(about), named[1].decode("ascii", "replace") if named else _apple(about)


def _time(about: dict[int, object]) -> int | None:
    try:
        when = str(about[ExifTags.Base.DateTimeOriginal]).strip("\0 ")
        seconds = calendar.timegm(time.strptime(when, "%Y:%m:%d %H:%M:%S"))
    except (KeyError, ValueError):
        return None
    digits = re.match(r"\d*", str(about.get(ExifTags.Base.SubsecTimeOriginal, "")), re.ASCII)
    return seconds * 1000 + int(f"{digits[0] if digits else ''}000"[:3])


def _apple(about: dict[int, object]) -> str:
    note = about.get(ExifTags.Base.MakerNote)
    if not isinstance(note, bytes) or not note.startswith(APPLE):
        return ""
    exif = Image.Exif()
    try:
        exif.load(AS_TIFF + note[len(AS_TIFF) :])
        return re.sub(r"[^\w-]", "", str(exif.get(BURST_UUID, "")), flags=re.ASCII)[:64]
    except Exception:
        return ""


def sharpness(photo: np.ndarray) -> float:
    """How much of a photo's contrast is between neighbouring pixels, where it is sharpest.

    The mean square of the Laplacian in the sharpest tenth of the tiles, over the whole photo's
    variance: a blurred background does not count. Only photos of one scene are to be compared.

    Args:
        photo: uint8 (H, W, 3), RGB.
    """
    grey = halved(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), SIDE)
    edges = cv2.Laplacian(grey, cv2.CV_32F) ** 2
    tiles = cv2.resize(edges, (TILES, TILES), interpolation=cv2.INTER_AREA)
    return float(np.quantile(tiles, 0.9) / max(float(grey.var()), 1.0))
