"""Tight crops: faces put in one place by their landmarks."""

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np

from facesort.faces.procrustes import mean_shape

# Points that expressions hardly move: corners of the eyes, bridge and base of the nose.
STABLE: Final = np.array([33, 133, 362, 263, 168, 6, 197, 195, 5, 2, 98, 327])
# Where the outer corners of the eyes lie in a tight crop, as shares of its side: from brow to chin.
EYES_APART: Final = 0.62
EYES_HEIGHT: Final = 0.31


def stable_places(blocks: Iterable[np.ndarray], side: int) -> np.ndarray:
    """Where the stable points of all faces shall lie in crops of so many pixels.

    Args:
        blocks: float (n, 478, 3) each, landmarks of those faces in turn.

    Returns:
        float64 (12, 2): their mean shape, the eyes level.
    """
    stable = [points[:, STABLE, :2].astype(np.float64) for points in blocks]
    mean = mean_shape(np.concatenate(stable))
    right, left = mean[0], mean[3]
    across = left - right
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    turn *= EYES_APART * side / (across @ across)
    return (mean - (right + left) / 2) @ turn.T + np.array([side / 2, EYES_HEIGHT * side])


def tight_crops(faces: np.ndarray, points: np.ndarray, places: np.ndarray, side: int) -> np.ndarray:
    """Cut faces so that their stable points come closest to given places: turned, scaled, moved.

    Args:
        faces: uint8 (N, H, W, C).
        points: float (N, 478, 3), their landmarks.
        places: float (12, 2), as of ``stable_places``.

    Returns:
        uint8 (N, side, side, C). What lies outside a picture is its edge, repeated.
    """
    seen = (points[:, STABLE, :2] @ np.array([1, 1j])).astype(np.complex128)
    goal = places @ np.array([1, 1j])
    middles = seen.mean(1, keepdims=True)
    apart = seen - middles
    # Least squares in the complex plane: one number turns and scales.
    turns = (apart.conj() @ (goal - goal.mean())) / np.maximum((abs(apart) ** 2).sum(1), 1e-9)
    shifts = goal.mean() - turns * middles[:, 0]
    crops = np.empty((len(faces), side, side, faces.shape[3]), np.uint8)
    for row, (face, turn, shift) in enumerate(zip(faces, turns, shifts, strict=True)):
        # Cut larger and then made smaller by area means, or else it would alias.
        times = max(1, int(1 / max(abs(turn), 0.05)))
        to_crop = np.array(
            [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
        )
        cut = cv2.warpAffine(
            face,
            times * to_crop,
            (times * side, times * side),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if times > 1:
            cut = cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)
        crops[row] = cut.reshape(side, side, -1)
    return crops
