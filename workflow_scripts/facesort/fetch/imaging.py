"""Images of strangers read with care: files to bytes, bytes to RGB, a box to a square of pixels.

Pillow opens: it reads what the web shows and what cameras and phones write, HEIC by way of
pillow-heif, and tells an image's size before decoding it. Plain JPEGs are decoded by simplejpeg:
the same pixels as Pillow's in less time. Whatever it does not take, truncated files above all,
Pillow decodes, or says why not. Colour profiles are not applied.
"""

import io
import os
import stat
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pillow_heif
import simplejpeg
from PIL import AvifImagePlugin, ExifTags, Image

# What else lies among pictures, by its first bytes.
OTHERS: Final = {
    b"PK\x03\x04": "a ZIP file, or a document of an office program",
    b"%PDF": "a PDF",
    b"%!PS": "PostScript",
    b"\x00\x00\x01\x00": "an icon",
    b"RIFF": "a sound or a video",
    b"\x1aE\xdf\xa3": "a video",
    b"\xd0\xcf\x11\xe0": "a document of an office program",
}
# Pillow opens multi-picture files (MPO), as some phones write, by way of JPEG; PPM stands for PBM,
# PGM and grey PFM too, HEIF for HEIC. AVIF before HEIF: some files of both begin alike.
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "HEIF")
REDUCIBLE: Final = ("JPEG", "MPO")
REDUCTIONS: Final = (1, 2, 4, 8)
# A JPEG is decoded no smaller than this many times the size that its faces are resized to.
SPARE: Final = 3
TRANSPOSED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# left, right, top, bottom; shares of the photo's width and height
Box = tuple[float, float, float, float]
# left, top, right, bottom in pixels
Edges = tuple[int, int, int, int]

# Pillow warns of large images; here the caller's limit refuses them before they are decoded.
Image.MAX_IMAGE_PIXELS = None
# The callers' threads decode an image each.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pillow_heif.register_heif_opener(
    decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
)
warnings.filterwarnings("ignore", module=r"PIL\.")


class ImageError(Exception):
    """Bytes that are no image that we take. The message is the cause, a colon and details."""

    def __init__(self, cause: str, details: object = "") -> None:
        super().__init__(f"{cause}: {details}"[:200] if details else cause)


@dataclass(frozen=True)
class Cut:
    """Faces cut out of a photo.

    Attributes:
        faces: uint8 (boxes, size, size, 3), RGB.
        width, height: of the photo as it is shown, in pixels.
    """

    faces: np.ndarray
    width: int
    height: int


def cut_faces(data: bytes, boxes: Sequence[Box], size: int, max_pixels: int) -> Cut:
    """Decode a photo once and cut faces out of it.

    Boxes are moved to whole pixels; what of them lies outside the photo is left out. A JPEG is
    decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 that leaves every face ``SPARE`` times the
    pixels it needs.

    Args:
        data: a whole file of one of ``FORMATS``; of animations the first frame counts, of pages
            the first, of a HEIF file's pictures the main one.
        boxes: relative to the photo as it is shown, EXIF rotation applied.
        size: side of the squares, in pixels.
        max_pixels: photos with more are refused before they are decoded.

    Raises:
        ImageError: if the bytes are no such image, are cut short, or have too many pixels.
    """
    image = _open(data, max_pixels)
    orientation = _orientation(image)
    edges = [_edges(stored_box(box, orientation), image.width, image.height) for box in boxes]
    width, height = image.size if orientation < 5 else image.size[::-1]
    reduction = 1
    if image.format in REDUCIBLE:
        least = min(min(right - left, bottom - top) for left, top, right, bottom in edges)
        reduction = max(k for k in REDUCTIONS if k <= max(1, least // (SPARE * size)))
    pixels = _decode(image, data, reduction)
    faces = np.empty((len(boxes), size, size, 3), np.uint8)
    for face, whole in zip(faces, edges, strict=True):
        if isinstance(pixels, Image.Image):
            region = np.asarray(_to_rgb(pixels.crop(whole)))
        else:
            region = _region(pixels, whole, reduction)
        if orientation == 1:
            resize(region, size, face)
        else:
            face[:] = _upright(resize(region, size), orientation)
    return Cut(faces, width, height)


def _region(pixels: np.ndarray, edges: Edges, reduction: int) -> np.ndarray:
    """Cut a region of the whole photo out of the reduced one.

    Pixels are repeated until it is as large as in the whole photo: so no edge has to be rounded.
    """
    left, top, right, bottom = edges
    x, y = left // reduction, top // reduction
    part = pixels[y : -(-bottom // reduction), x : -(-right // reduction)]
    if reduction > 1:
        part = part.repeat(reduction, 0).repeat(reduction, 1)
    left, top = left - x * reduction, top - y * reduction
    return part[top : top + edges[3] - edges[1], left : left + edges[2] - edges[0]]


def read_file(path: str | Path, max_bytes: int) -> bytes:
    """Read a file that may be an image.

    Raises:
        ImageError: if it is empty, has too many bytes, cannot be read, or is no file.
    """
    try:
        # Asked before it is opened: a pipe would wait for ever.
        about = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(about.st_mode):
            raise ImageError("not a file")
        # What the system only pretends to be a file (/proc) is empty too.
        if not 0 < about.st_size <= max_bytes:
            raise ImageError("too many bytes" if about.st_size else "empty")
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError("unreadable", error.strerror or error) from None


def read_image(data: bytes, max_pixels: int) -> np.ndarray:
    """Decode a whole image, EXIF rotation applied.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        ImageError: as ``cut_faces``.
    """
    image = _open(data, max_pixels)
    orientation = _orientation(image)
    pixels = _decode(image, data)
    if isinstance(pixels, Image.Image):
        pixels = np.asarray(_to_rgb(pixels))
    return _upright(pixels, orientation)


@dataclass(frozen=True)
class Photo:
    """A photo as it is shown, perhaps decoded at a smaller size.

    Attributes:
        pixels: uint8 (H, W, 3), RGB.
        width, height: of the whole photo as it is shown, in pixels.
        orientation: 1 to 8, by which it was turned from how it is stored.
    """

    pixels: np.ndarray
    width: int
    height: int
    orientation: int

    @property
    def scale(self) -> np.ndarray:
        """How many pixels of the whole photo one of ``pixels`` is: float64 (2,), x and y."""
        return np.array([self.width, self.height]) / self.pixels.shape[1::-1]


def read_photo(
    data: bytes, max_pixels: int, side: int | None = None, told: int | None = None
) -> Photo:
    """Decode a photo no larger than need be.

    Args:
        side: the photo is made smaller as long as its longer side keeps so many pixels: a JPEG as
            it is decoded, by 2, 4 or 8, others then by any whole number. None keeps it whole.
        told: orientation, 1 to 8, that counts instead of the file's own.

    Raises:
        ImageError: as ``cut_faces``.
    """
    image = _open(data, max_pixels)
    orientation = told or _orientation(image)
    # Of HEIC files the stored picture comes turned already.
    done = image.info.get("original_orientation") or 1
    swapped = (orientation >= 5) != (done >= 5) if told or done == 1 else False
    width, height = image.size[::-1] if swapped else image.size
    reduction = 1
    if image.format in REDUCIBLE and side:
        reduction = max(k for k in REDUCTIONS if k <= max(1, max(image.size) // side))
    pixels = _decode(image, data, reduction)
    if isinstance(pixels, Image.Image):
        rgb = _to_rgb(pixels)
        pixels = np.asarray(rgb.reduce(max(1, max(rgb.size) // side)) if side else rgb)
    if done == 1:
        pixels = _upright(pixels, orientation)
    elif told and told != done:
        pixels = _upright(_upright(pixels, {6: 8, 8: 6}.get(done, done)), told)
    return Photo(pixels, width, height, orientation if done == 1 or told else done)


def resize(image: np.ndarray, size: int, out: np.ndarray | None = None) -> np.ndarray:
    """Make an image a square: averages over areas shrink it, a bicubic filter enlarges it.

    These are the filters that img2dataset and OpenCV's documentation name for the two.

    Args:
        image: uint8 (height, width, 3).
        size: side of the square, in pixels.
        out: where to write it, uint8 (size, size, 3); None makes a new array.
    """
    height, width = image.shape[:2]
    smaller = (min(width, size), min(height, size))
    # To resize to the same size is to copy.
    if smaller not in ((width, height), (size, size)):
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    how = cv2.INTER_AREA if smaller == (size, size) else cv2.INTER_CUBIC
    square: np.ndarray = cv2.resize(image, (size, size), out, interpolation=how)
    return square


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """Open an image; only JPEGs are left to be decoded, since they can be at a smaller size."""
    if not data:
        raise ImageError("empty")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception:  # Pillow raises many kinds for hostile bytes
        start = data[:1000].lstrip().lower()
        if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
            raise ImageError("HTML in place of an image") from None
        raise ImageError("not an image", _what(data)) from None
    if image.width * image.height > max_pixels:
        raise ImageError("too many pixels", f"{image.width} x {image.height}")
    return image if image.format in REDUCIBLE else _in_8_bits(_load(image))


def _what(data: bytes) -> str:
    """What bytes are that are no image, as far as their beginning tells."""
    for begins, what in OTHERS.items():
        if data.startswith(begins):
            return what
    if data[4:8] == b"ftyp":
        return "a video"
    text = data[:24].decode("utf-8", "ignore")
    if text and all(sign.isprintable() or sign.isspace() for sign in text):
        return f"text that begins with {text[:12]!r}"
    return f"begins with {data[:8].hex(' ')}"


def _decode(image: Image.Image, data: bytes, reduction: int = 1) -> np.ndarray | Image.Image:
    """Decode an opened image: a plain JPEG to RGB, reduced; anything else to what it holds."""
    if image.format in REDUCIBLE and image.mode in ("RGB", "L"):
        # Room for as many pixels as Pillow has read from the header, and no more.
        height, width = (-(-side // reduction) for side in image.size[::-1])
        room = np.empty((height, width, 3), np.uint8)
        least = {"min_height": height, "min_width": width, "min_factor": reduction}
        try:
            pixels: np.ndarray = simplejpeg.decode_jpeg(data, buffer=room, **least)
        except ValueError:
            pass  # Pillow takes more, and says what is wrong with the rest
        else:
            if pixels.shape == room.shape:
                return pixels
    return _load(image)


def _load(image: Image.Image) -> Image.Image:
    told = image.size
    try:
        image.load()
    except MemoryError:
        raise ImageError("too large for the memory", f"{image.width} x {image.height}") from None
    except Exception as error:
        cause = "truncated image" if "truncated" in str(error) else "damaged image"
        raise ImageError(cause, error) from None
    if image.size != told:  # pillow-heif learns it here
        raise ImageError("damaged image", f"{image.size} pixels where the file says {told}")
    return image


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Grey of more bits scaled to 8: Pillow's own conversion would clip it.

    White is the largest number of the format's bits where these are told, else the first of 1 (in
    floats alone), 255, 65535 and the image's largest number that no pixel exceeds.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
    tags = getattr(image, "tag_v2", {})
    bits = max(tags.get(ExifTags.Base.BitsPerSample, (16,)))
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        white = 2.0**bits - 1
    else:
        largest = float(values.max())
        likely = (1, 255, 65535) if image.mode == "F" else (255, 65535)
        white = next((each for each in likely if largest <= each), largest)
    grey = np.clip(np.rint(values * (255 / white)), 0, 255).astype(np.uint8)
    if tags.get(ExifTags.Base.PhotometricInterpretation) == 0:  # white is zero
        grey = 255 - grey
    scaled = Image.fromarray(grey)
    # Its EXIF above all; what is transparent is told in numbers of more bits.
    scaled.info = {key: what for key, what in image.info.items() if key != "transparency"}
    return scaled


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a photo with broken EXIF is shown as it is stored
        return 1
    return orientation if orientation in TRANSPOSED else 1


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    if orientation == 1:
        return pixels
    return np.asarray(Image.fromarray(pixels).transpose(TRANSPOSED[orientation]))


def stored_box(box: Box, orientation: int) -> Box:
    """Where a box of the photo as it is shown lies in the photo as it is stored."""
    left, right, top, bottom = box
    if orientation >= 5:
        left, right, top, bottom = top, bottom, left, right
    if orientation in (2, 3, 7, 8):
        left, right = 1 - right, 1 - left
    if orientation in (3, 4, 6, 7):
        top, bottom = 1 - bottom, 1 - top
    return left, right, top, bottom


def shown_box(box: Box, orientation: int) -> Box:
    """Where a box of the photo as it is stored lies in the photo as it is shown."""
    return stored_box(box, {6: 8, 8: 6}.get(orientation, orientation))


def _edges(box: Box, width: int, height: int) -> Edges:
    """Left, top, right and bottom in whole pixels, inside the photo and never empty."""
    left, top = min(max(round(box[0] * width), 0), width - 1), max(round(box[2] * height), 0)
    top = min(top, height - 1)
    right = max(min(round(box[1] * width), width), left + 1)
    return left, top, right, max(min(round(box[3] * height), height), top + 1)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
