"""Faces cut out of photographs as a trained model saw those that it learnt from.

Others had cut those out: here a square around the detector's box is as much like them as can be
had, or a tight crop by landmarks.
"""

import hashlib
from typing import Any

import numpy as np

from facesort.archive.model_views import MARGIN, View
from facesort.archive.pictures import cut
from facesort.common.arrays import read_blocks
from facesort.common.job import InputError
from facesort.faces.alignment import stable_places, tight_crops
from facesort.faces.variants import make_variant


class ModelCrops:
    """Cuts out what a model sees.

    Args:
        view: of the model.
        border: pixels that the variant "cropped" cuts off.
        landmarks: path of those of the faces that it learnt from, for aligned faces.

    Raises:
        InputError: if they are needed and not named.
    """

    def __init__(self, view: View, border: int, landmarks: str | None) -> None:
        self.view, self.border, self.places = view, border, np.zeros((0, 2))
        if view.kind == "aligned":
            if not landmarks:
                raise InputError(
                    "archive.model: this model sees faces aligned as those that it learnt from; "
                    "name it where the workflow puts it, results/<variant>/<model>/seed<n>/model"
                )
            self.places = stable_places(read_blocks(landmarks), view.shape[0])

    def key(self) -> list[Any]:
        """What tells these crops from others."""
        view = self.view
        digest = hashlib.sha256(self.places.tobytes()).hexdigest()[:16]
        return [view.kind, list(view.shape), view.variant, self.border, digest]

    def __call__(self, photo: np.ndarray, box: np.ndarray, points: np.ndarray) -> bytes:
        """What the model sees of one face, as bytes of the view's dtype; b"" of movements.

        Args:
            photo: uint8 (H, W, 3), RGB.
            box: (4,), left, top, width and height.
            points: (478, 3), the face's landmarks.
        """
        view = self.view
        if view.kind == "movements":
            return b""
        if view.kind == "landmarks":
            return points.astype(np.float32).tobytes()
        if view.kind == "aligned":
            crop = tight_crops(photo[None], points[None], self.places, view.shape[0])
            variant = "grayscale" if view.shape[2] == 1 else "rgb"
            return make_variant(crop, variant, 0)[0].tobytes()
        side = view.shape[0] + (2 * self.border if view.variant == "cropped" else 0)
        crop = cut(photo, box, side, MARGIN)[None]
        return make_variant(crop, view.variant, self.border)[0].tobytes()
