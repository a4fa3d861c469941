"""Shapes without place, size and turn."""

from typing import Final

import numpy as np

# Of the face mesh; after those of the face come ten of the irises, which tell the gaze.
POINTS: Final = 478
FACE_POINTS: Final = 468


def mean_shape(points: np.ndarray, rounds: int = 5) -> np.ndarray:
    """The generalised Procrustes mean of shapes.

    Source: Gower 1975, https://doi.org/10.1007/BF02291478

    Args:
        points: float (N, P, d).

    Returns:
        float64 (P, d), centred, of length 1, turned as the shapes are on average.
    """
    shapes = points - points.mean(1, keepdims=True)
    shapes = shapes / np.linalg.norm(shapes, axis=(1, 2), keepdims=True)
    mean: np.ndarray = shapes[0]
    for _ in range(rounds):
        mean = np.einsum("npi,nij->pj", shapes, rotations(shapes, mean))
        mean /= np.linalg.norm(mean)
    # Until here it is turned as the first one, which may look aside.
    turned: np.ndarray = mean @ rotations(mean[None], shapes.mean(0))[0]
    return turned


def rotations(shapes: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """How to turn shapes (N, P, d) so that they come closest to another one: (N, d, d)."""
    u, _, v = np.linalg.svd(np.einsum("npi,pj->nij", shapes, goal))
    # Turned, never mirrored.
    u[:, :, -1] *= np.sign(np.linalg.det(u @ v))[:, None]
    found: np.ndarray = u @ v
    return found
