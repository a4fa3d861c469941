"""Images of strangers decoded with care: bytes to RGB, a box to a square of pixels."""

import io
import math
import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageOps

FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
# left, right, top, bottom, relative to the photo
Box = tuple[float, float, float, float]


class ImageError(Exception):
    """Bytes that are no image we take; the message says why."""


def cut_faces(
    data: bytes, boxes: Sequence[Box], size: int, max_pixels: int
) -> tuple[list[np.ndarray], tuple[int, int]]:
    """Decode a photo and cut faces out of it.

    A box may reach over the photo's edge: what lies outside is left out. JPEGs are decoded at the
    largest reduction (1/2, 1/4 or 1/8) that leaves each face twice the pixels it needs.

    Args:
        data: a whole file of one of ``FORMATS``; of animations the first frame counts.
        boxes: relative to the photo as it is shown, EXIF rotation applied.
        size: side of the squares, in pixels.
        max_pixels: photos with more are refused before decoding.

    Returns:
        uint8 (size, size, 3) RGB for each box, and the photo's width and height.

    Raises:
        ImageError: if the bytes are no such image, cut short or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
            width, height = image.size
            if width * height > max_pixels:
                raise ImageError(f"{width}x{height} pixels, more than max_pixels")
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            if image.format in ("JPEG", "MPO"):
                scale = max(size / min(_sides(box, width, height, turned)) for box in boxes)
                target = math.ceil(2 * scale * width), math.ceil(2 * scale * height)
                image.draft(None, target)
            image.load()
            image = _to_rgb(ImageOps.exif_transpose(image))
    except ImageError:
        raise
    except Exception as error:  # Pillow raises many kinds for hostile bytes
        raise ImageError(f"{type(error).__name__}: {error}"[:200]) from None
    faces = []
    for left, right, top, bottom in boxes:
        edges = (
            max(left, 0) * image.width,
            max(top, 0) * image.height,
            min(right, 1) * image.width,
            min(bottom, 1) * image.height,
        )
        if edges[2] - edges[0] < 1 or edges[3] - edges[1] < 1:
            raise ImageError("a box is smaller than a pixel")
        faces.append(np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=edges)))
    return faces, (height, width) if turned else (width, height)


def _sides(box: Box, width: int, height: int, turned: bool) -> tuple[float, float]:
    if turned:
        width, height = height, width
    left, right, top, bottom = box
    across, down = min(right, 1) - max(left, 0), min(bottom, 1) - max(top, 0)
    return max(across * width, 1), max(down * height, 1)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # 16 bits: the upper eight. Pillow's own conversion would clip.
        values = np.asarray(image).astype(np.float64)
        return Image.fromarray((values / 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
