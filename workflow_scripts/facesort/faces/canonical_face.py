"""MediaPipe's canonical face, and how heads are turned against it.

``canonical_face.csv`` holds its 468 vertices, those of the mesh's points, in centimetres, y up and
z towards the viewer. They are from ``geometry_pipeline_metadata_landmarks.binarypb`` of the bundle
that ``face_mesh.py`` names (Apache-2.0, ``mediapipe.LICENSE``).
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from facesort.faces.procrustes import rotations

VERTICES: Final = Path(__file__).with_suffix(".csv")


def head_rotations(points: np.ndarray) -> np.ndarray:
    """How to turn faces so that they look at the viewer: float64 (N, 3, 3), ``points @ turn``.

    By Procrustes' alignment with MediaPipe's canonical face (Gower 1975).
    """
    goal = canonical_face()
    shapes = points[:, : len(goal)].astype(np.float64)
    return rotations(shapes - shapes.mean(1, keepdims=True), goal - goal.mean(0))


@cache
def canonical_face() -> np.ndarray:
    """float64 (468, 3): x to the viewer's right, y down, z away, in centimetres."""
    found: np.ndarray = np.loadtxt(VERTICES, delimiter=",", skiprows=1) * [1, -1, -1]
    return found


def angles(turns: np.ndarray) -> dict[str, np.ndarray]:
    """The head's turn in degrees, each (N,); by name.

    ``headYaw`` towards the person's left, which a viewer sees as right; ``headPitch`` up;
    ``headRoll`` clockwise as seen.
    """
    found = {
        "headYaw": np.arcsin(np.clip(turns[:, 2, 0], -1, 1)),
        "headPitch": np.arctan2(-turns[:, 2, 1], turns[:, 2, 2]),
        "headRoll": np.arctan2(turns[:, 1, 0], turns[:, 0, 0]),
    }
    return {name: np.degrees(angle) for name, angle in found.items()}
