"""The three variants of every face (3): rgb, grayscale and cropped."""

from typing import Final

import cv2
import numpy as np

VARIANTS: Final = ("rgb", "grayscale", "cropped")


def variant_shape(variant: str, size: int, border: int) -> tuple[int, int, int]:
    """Height, width and channels of a variant of faces of ``size`` pixels a side."""
    if variant == "cropped":
        return size - 2 * border, size - 2 * border, 3
    return size, size, 1 if variant == "grayscale" else 3


def make_variant(faces: np.ndarray, variant: str, border: int) -> np.ndarray:
    """Turn a batch of faces into a variant.

    Args:
        faces: uint8 (N, S, S, 3), RGB.
        variant: ``rgb`` is the faces themselves, ``grayscale`` their luma (ITU-R BT.601, as in
            Pillow, OpenCV and Keras), ``cropped`` has ``border`` pixels less on each side.
        border: in pixels; 25 of 200 in the paper.

    Returns:
        uint8 (N, H, W, C) of ``variant_shape``.
    """
    if variant == "rgb":
        return faces
    if variant == "cropped":
        return faces[:, border : faces.shape[1] - border, border : faces.shape[2] - border]
    if variant == "grayscale":
        count, height, width, _ = faces.shape
        # One tall image: OpenCV converts the whole batch in one call.
        gray = cv2.cvtColor(
            np.ascontiguousarray(faces).reshape(count * height, width, 3), cv2.COLOR_RGB2GRAY
        )
        return gray.reshape(count, height, width, 1)
    raise ValueError(f"unknown variant {variant!r}; there are {', '.join(VARIANTS)}")
