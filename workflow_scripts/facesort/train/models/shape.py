"""Shapes of faces, from which place, size, turn, pose and asymmetry are taken out.

Shared by the models that see landmarks; they hold a ``Normalised`` and fit it to the faces that
they learn from. No label is used.
"""

from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from facesort.faces.procrustes import FACE_POINTS, mean_shape

# Of the faces to learn from, so many tell the mean shape and what pose does; sums suffice.
MOST = 20_000
# Steps to a turn; each doubles its digits.
NEWTON = 10
# How often a projector is squared; each doubles its digits too.
SQUARES = 8


class Normalised(nn.Module):
    """Landmarks made comparable between faces.

    The irises' ten points are left out: where a face looks is not the shape that it has.

    1. Procrustes alignment to the mean shape takes out place, size and turn in space.
    2. The mean with the mirror image takes out asymmetry, of which much is the network's.
    3. What rotation of the head still predicts (the side turned away is guessed) is subtracted: a
       regression of the shape on yaw, pitch and roll and their products.
    """

    reference: Tensor
    pairs: Tensor
    of_pose: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("reference", torch.zeros(FACE_POINTS, 3))
        self.register_buffer("pairs", torch.arange(FACE_POINTS))
        self.register_buffer("of_pose", torch.zeros(10, FACE_POINTS * 3))

    def fit(self, landmarks: np.ndarray) -> None:
        """Learn the mean shape, the mirrored pairs of points, and what pose does.

        Args:
            landmarks: float32 (N, 478, 3), at least one.
        """
        mean = mean_shape(landmarks[:, :FACE_POINTS])
        mirrored = mean * [-1, 1, 1]
        apart = np.linalg.norm(mean[:, None] - mirrored, axis=2)
        self.reference.copy_(torch.from_numpy(mean))
        self.pairs.copy_(torch.from_numpy(linear_sum_assignment(apart)[1]))
        shapes, turns = self.aligned(torch.from_numpy(landmarks))
        shapes = self.symmetric(shapes)
        terms = pose_terms(turns)
        # A little ridge: few faces may not tell ten terms apart.
        gram = terms.T @ terms + 1e-3 * torch.eye(10)
        self.of_pose.copy_(torch.linalg.solve(gram, terms.T @ shapes.flatten(1)))
        self.of_pose[0] = 0  # the mean stays

    def aligned(self, landmarks: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes float (B, 468, 3) of unit length, and how they were turned, float (B, 3, 3)."""
        shapes = landmarks[:, :FACE_POINTS]
        shapes = shapes - shapes.mean(1, keepdim=True)
        shapes = shapes / torch.linalg.norm(shapes, dim=(1, 2), keepdim=True).clamp_min(1e-9)
        turns = rotations(torch.einsum("npi,pj->nij", shapes, self.reference))
        return shapes @ turns, turns

    def symmetric(self, shapes: Tensor) -> Tensor:
        """The mean of shapes float (B, 468, 3) and their mirror images."""
        mirrored = shapes[:, self.pairs] * torch.tensor([-1.0, 1.0, 1.0], device=shapes.device)
        return (shapes + mirrored) / 2

    def forward(self, landmarks: Tensor) -> Tensor:
        """Shapes float (B, 468, 3) without asymmetry and pose."""
        shapes, turns = self.aligned(landmarks.float())
        predicted = (pose_terms(turns) @ self.of_pose).unflatten(1, (FACE_POINTS, 3))
        return self.symmetric(shapes) - predicted


def rotations(products: Tensor) -> Tensor:
    """How to turn shapes, given their products with another one, so that they come closest to it.

    Args:
        products: float (B, 3, 3).

    Returns:
        float (B, 3, 3): the products' orthogonal factor, turned and never mirrored.
    """
    if torch.onnx.is_in_onnx_export():
        return polar(products)
    u, _, v = torch.linalg.svd(products)
    sign = torch.ones_like(u[:, 0])
    sign[:, 2] = torch.sign(torch.linalg.det(u @ v))
    return (u * sign[:, None]) @ v


def polar(products: Tensor) -> Tensor:
    """As ``rotations``, by Newton's steps: exported files know no singular values.

    Source: Higham 1986, https://doi.org/10.1137/0907079
    """
    scaled = products / products.abs().amax((1, 2), keepdim=True).clamp_min(1e-9)
    x = scaled
    for _ in range(NEWTON):
        # Of a 3x3 matrix, the inverse's transpose is that of cofactors by the determinant.
        cofactors = _cofactors(x)
        determinant = (x * cofactors).sum((1, 2), keepdim=True) / 3
        # Made as large as a turn first: the steps that follow are then few.
        size = determinant.abs().clamp_min(1e-12) ** (1 / 3)
        x = (x / size + size * cofactors / determinant) / 2
    # A mirrored one is turned over along the least singular vector, whose projector the squares of
    # the stretch's inverse come to.
    least = _cofactors(x.transpose(1, 2) @ scaled)
    least = least / least.abs().amax((1, 2), keepdim=True).clamp_min(1e-12)
    for _ in range(SQUARES):
        least = least @ least
        least = least / (least * least).sum((1, 2), keepdim=True).sqrt().clamp_min(1e-12)
    return x - 2 * (determinant < 0).float() * (x @ least)


def _cofactors(x: Tensor) -> Tensor:
    after, last = [1, 2, 0], [2, 0, 1]
    next_rows, last_rows = x[:, after], x[:, last]
    first = next_rows[:, :, after] * last_rows[:, :, last]
    return first - next_rows[:, :, last] * last_rows[:, :, after]


def sines(turns: Tensor) -> Tensor:
    """Sines of yaw, pitch and roll (small angles) of turns float (B, 3, 3): float (B, 3)."""
    return torch.stack([turns[:, 0, 2], turns[:, 1, 2], turns[:, 0, 1]], 1)


def pose_terms(turns: Tensor) -> Tensor:
    """One, the three sines, and their products: float (B, 10)."""
    s = sines(turns)
    products = [s[:, i] * s[:, j] for i in range(3) for j in range(i, 3)]
    return torch.stack([torch.ones_like(s[:, 0]), *s.unbind(1), *products], 1)


def fixed_signs(directions: Tensor) -> Tensor:
    """Directions, the columns of (D, d), whose signs are chance: the largest number positive."""
    return directions * directions.gather(0, directions.abs().argmax(0, keepdim=True)).sign()


def some(faces: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """At most ``MOST`` of the faces' rows, read into memory."""
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST, replace=False))
    return np.ascontiguousarray(faces[rows])


def in_float32(x: Tensor) -> Any:
    """A context in which products stay float32: shapes differ in their third digit."""
    # The figure of the architecture runs it on a device without memory, which has no autocast.
    device = "cpu" if x.device.type == "meta" else x.device.type
    return torch.autocast(device, enabled=False)
