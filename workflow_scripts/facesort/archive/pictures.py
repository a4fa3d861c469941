"""Small pictures of photos and their faces, so that nobody need open the photos again."""

from typing import Final

import cv2
import numpy as np
import simplejpeg

from facesort.archive.tables import PREVIEW, THUMBNAIL

# A thumbnail is so much wider than the longer side of the face's box.
MARGIN: Final = 1.5
QUALITY: Final = 80


def cut(photo: np.ndarray, box: np.ndarray, side: int, margin: float = MARGIN) -> np.ndarray:
    """A face as a square, with a margin; what lies outside the photo is its edge, repeated.

    Args:
        photo: uint8 (H, W, 3).
        box: left, top, width and height, pixels.

    Returns:
        uint8 (side, side, 3).
    """
    half = max(margin * float(max(box[2:4])) / 2, 1.0)
    middle = box[:2] + box[2:4] / 2
    height, width = photo.shape[:2]
    left, top = np.floor(middle - half).astype(int)
    right, bottom = np.ceil(middle + half).astype(int)
    # A box may lie outside in part, never as a whole.
    x, y = np.clip([left, right], 0, width), np.clip([top, bottom], 0, height)
    part = photo[min(y[0], height - 1) : max(y[1], 1), min(x[0], width - 1) : max(x[1], 1)]
    edges = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if any(edges):
        part = cv2.copyMakeBorder(part, *edges, cv2.BORDER_REPLICATE)
    way = cv2.INTER_AREA if min(part.shape[:2]) > side else cv2.INTER_CUBIC
    square: np.ndarray = cv2.resize(part, (side, side), interpolation=way)
    return square


def thumbnail(photo: np.ndarray, box: np.ndarray) -> bytes:
    """A face as a JPEG; arguments are those of ``cut``.

    At the photo's edge the square is moved inside, and it is no larger than the photo.
    """
    wide_and_tall = np.array(photo.shape[1::-1])
    side = max(1, min(int(MARGIN * float(max(box[2:4]))), *wide_and_tall))
    corner = np.clip(np.round(box[:2] + (box[2:4] - side) / 2), 0, wide_and_tall - side)
    return jpeg(cut(photo, np.array([*corner, side, side]), THUMBNAIL, margin=1.0))


def preview(photo: np.ndarray) -> bytes:
    """A whole photo, uint8 (H, W, 3), as a small JPEG."""
    photo = halved(photo, PREVIEW)
    factor = PREVIEW / max(photo.shape[:2])
    if factor < 1:
        size = tuple(max(1, round(side * factor)) for side in photo.shape[1::-1])
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return jpeg(photo)


def halved(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture (H, W) or (H, W, 3), halved while its longer side keeps so many pixels."""
    # Halves are quick to make.
    while max(picture.shape[:2]) >= 2 * side and min(picture.shape[:2]) > 1:
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        picture = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    return picture


def jpeg(picture: np.ndarray) -> bytes:
    data: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(picture), quality=QUALITY, colorspace="RGB"
    )
    return data
