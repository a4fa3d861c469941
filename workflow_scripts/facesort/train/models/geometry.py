"""Geometry: the shape of the face alone, no picture and no label.

Landmarks are aligned (Procrustes), asymmetry and head pose are taken out (``shape.py``), and the
principal directions of what is left make the embedding. Whitened, a small direction such as the
brows counts as much as the mouth, which moves further; how far they are is chosen without labels
(``facesort.train.stability``).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facesort.common.job import InputError
from facesort.faces.procrustes import FACE_POINTS
from facesort.train.models.shape import Normalised, fixed_signs, in_float32, some


class Geometry(nn.Module):
    setting = "whitening"
    mean: Tensor
    directions: Tensor
    variances: Tensor
    whitening: Tensor

    def __init__(self, dimensions: int, whitenings: list[float]) -> None:
        super().__init__()
        self.candidates = whitenings
        self.normalised = Normalised()
        self.register_buffer("mean", torch.zeros(FACE_POINTS * 3))
        self.register_buffer("directions", torch.zeros(FACE_POINTS * 3, dimensions))
        self.register_buffer("variances", torch.ones(dimensions))
        self.register_buffer("whitening", torch.tensor(float(whitenings[0])))

    def fit(
        self, faces: np.ndarray, rows: np.ndarray, labels: np.ndarray | None, seed: int
    ) -> None:
        """Learn the mean shape and the principal directions from landmarks.

        Args:
            faces: float32 (N, 478, 3).
            rows: int64 (n,), those to learn from.
            labels: not looked at.

        Raises:
            InputError: if there are too few faces for so many directions.
        """
        landmarks, dimensions = some(faces, rows, seed), self.directions.shape[1]
        if len(landmarks) <= dimensions:
            raise InputError(
                f"geometry: {len(landmarks)} faces are too few for {dimensions} directions; lower "
                "models.geometry.dimensions or raise faces.sample in the config"
            )
        self.normalised.fit(landmarks)
        shapes = self.normalised(torch.from_numpy(landmarks)).flatten(1).double()
        self.mean.copy_(shapes.mean(0))
        apart = shapes - shapes.mean(0)
        values, vectors = torch.linalg.eigh(apart.T @ apart / len(apart))
        kept = torch.arange(len(values) - 1, len(values) - 1 - dimensions, -1)
        self.directions.copy_(fixed_signs(vectors[:, kept]))
        self.variances.copy_(values[kept].clamp_min(1e-12))

    def choose(self, candidate: float) -> None:
        """Make the directions equally wide: not at all (0), wholly (1), or in part."""
        self.whitening.fill_(candidate)

    def codes(self, x: Tensor) -> Tensor:
        """Coordinates along the directions, float32 (B, dimensions)."""
        with in_float32(x):
            return (self.normalised(x).flatten(1) - self.mean) @ self.directions

    def weigh(self, codes: Tensor) -> Tensor:
        """The embedding of codes, float32 (B, dimensions)."""
        with in_float32(codes):
            scale = self.variances ** (-self.whitening / 2)
            # Of mean square 1, whichever was chosen.
            scale = scale / (self.variances * scale**2).mean().sqrt()
            return codes * scale

    def embed(self, x: Tensor) -> Tensor:
        return self.weigh(self.codes(x))


def build(shape: tuple[int, ...], settings: dict[str, Any]) -> nn.Module:
    return Geometry(settings["dimensions"], settings["whitenings"])
