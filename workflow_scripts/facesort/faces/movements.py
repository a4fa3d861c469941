"""Strengths of movements: what a face does, its head's turn and its gaze, told from landmarks.

Two sources: MediaPipe's blendshapes (``face_blendshapes.py``), and measures of our own, heights and
distances of landmarks, for what the blendshapes hardly find. A movement of both sides has a column
each, whose name ends in Left or Right: the person's, as in MediaPipe's names. No label is used.
``facs.csv`` tells of each movement which action unit it is of (the Facial Action Coding
System's number) and how well it is found on rendered faces, whose action units are known.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.faces import facs
from facesort.faces.canonical_face import angles, head_rotations
from facesort.faces.face_blendshapes import BLENDSHAPES, blendshapes
from facesort.faces.procrustes import POINTS

# Points of the mesh, on the person's right and left.
PAIRED: Final = {
    "inner brow": ((55, 65, 66, 107), (285, 295, 296, 336)),
    "inner brow end": ((55, 107), (285, 336)),
    "middle of the brow": ((52, 105), (282, 334)),
    "outer brow end": ((46, 70), (276, 300)),
    "outer brow": ((46, 53, 63, 70), (276, 283, 293, 300)),
    "inner eye corner": ((133,), (362,)),
    "outer eye corner": ((33,), (263,)),
    "eye corners": ((33, 133), (263, 362)),
    "upper lid": ((158, 159, 160), (385, 386, 387)),
    "lower lid": ((144, 145, 153), (373, 374, 380)),
    "iris": (tuple(range(468, 473)), tuple(range(473, 478))),
    "cheek": ((50,), (280,)),
    "nostril": ((98,), (327,)),
    "side of the nose": ((129,), (358,)),
    "lip corner": ((61,), (291,)),
    "upper lip's side": ((39,), (269,)),
    "lips beside the corner": ((39, 181), (269, 405)),
}
MIDDLE: Final = {
    "bridge": (168,),
    "nose tip": (4,),
    "below the nose": (2,),
    "upper lip": (0,),
    "upper lip, inside": (13,),
    "lower lip, inside": (14,),
    "lower lip": (17,),
    "chin": (152,),
}
# All of them, by name and side (0 the right one, 1 the left one, None neither).
PLACES: Final[dict[tuple[str, int | None], tuple[int, ...]]] = {
    **{(name, side): points for name, both in PAIRED.items() for side, points in enumerate(both)},
    **{(name, None): points for name, points in MIDDLE.items()},
}


def movements(points: np.ndarray, threads: int = 1) -> pd.DataFrame:
    """The strengths of all movements.

    Args:
        points: float (N, 478, 3), landmarks in pixels, as of ``FaceMesh.find``.
        threads: of the blendshapes' network.

    Returns:
        N rows and a float32 column a movement, in the order of ``facs.csv``: blendshapes from 0 to
        1, our own in distances of the outer eye corners, and the head's turn in degrees:
        ``headYaw`` towards the person's left, which a viewer sees as right, ``headPitch`` up,
        ``headRoll`` clockwise as seen.
    """
    turns = head_rotations(points)
    own = measures(points, turns) | angles(turns)
    found = blendshapes(points, threads)
    every = pd.DataFrame({name: found[:, at] for at, name in enumerate(BLENDSHAPES)} | own)
    return every[facs.columns(facs.table())].astype(np.float32)


def place_means() -> np.ndarray:
    """By what landmarks are multiplied to give ``PLACES``: float64 (places, 478)."""
    means = np.zeros((len(PLACES), POINTS))
    for row, points in zip(means, PLACES.values(), strict=True):
        row[list(points)] = 1 / len(points)
    return means


def measures(points: Any, turns: Any, means: Any = None) -> dict[str, Any]:
    """Movements of our own, each (N,), stronger where the face moves more.

    NumPy's arrays and torch's tensors will both do.

    Args:
        points: float (N, 478, 3), landmarks.
        turns: float (N, 3, 3), as of ``head_rotations``.
        means: ``place_means()``, of the same kind; None for NumPy's.
    """
    upright = (points - points.mean(1, keepdims=True)) @ turns
    places = (place_means() if means is None else means) @ upright
    right, left = (list(PLACES).index(("outer eye corner", side)) for side in (0, 1))
    eyes_apart = length(places[:, right] - places[:, left])
    places = places / eyes_apart.clip(1e-9)[:, None, None]
    found_at = {place: places[:, row] for row, place in enumerate(PLACES)}
    middle = {name: found_at[name, None] for name in MIDDLE}
    found: dict[str, Any] = {}
    widths = []
    for side, name in enumerate(facs.SIDES):
        at = middle | {place: found_at[place, side] for place in PAIRED}
        eye = apart(at, "inner eye corner", "outer eye corner")
        gaze = (at["iris"] - at["eye corners"]) / eye.clip(1e-9)[:, None]
        widths.append(abs(at["lip corner"] - at["upper lip"])[:, 0])
        found |= {
            f"browOblique{name}": above(at, "inner brow end", "outer brow end"),
            f"browArch{name}": above(at, "middle of the brow", "inner brow end", "outer brow end"),
            f"browOuterRaise{name}": above(at, "outer brow", "outer eye corner"),
            f"browLower{name}": above(at, "inner eye corner", "inner brow"),
            f"eyeOpening{name}": above(at, "upper lid", "lower lid") / eye.clip(1e-9),
            f"lowerLidRaise{name}": above(at, "lower lid", "eye corners"),
            f"noseWrinkle{name}": above(at, "side of the nose", "inner eye corner"),
            f"upperLipRaise{name}": -apart(at, "nostril", "upper lip's side"),
            f"lipCornerUp{name}": above(at, "lip corner", "eye corners"),
            f"lipCornerToCheek{name}": -apart(at, "lip corner", "cheek"),
            f"lipCornerDown{name}": above(at, "lips beside the corner", "lip corner"),
            f"lipCornerOut{name}": widths[-1],
            f"gazeAcross{name}": gaze[:, 0],
            f"gazeUp{name}": -gaze[:, 1],
        }
    wide = (widths[0] + widths[1]).clip(1e-9)
    right, left = (found_at["inner brow end", side] for side in (0, 1))
    lips = above(middle, "upper lip", "lower lip") - above(
        middle, "upper lip, inside", "lower lip, inside"
    )
    corners = (found_at["lip corner", 0] + found_at["lip corner", 1]) / 2
    return found | {
        "browKnit": -length(right - left),
        "noseShorten": right[:, 1] / 2 + left[:, 1] / 2 - middle["nose tip"][:, 1],
        "lipsThin": -lips,
        "mouthOpening": above(middle, "upper lip, inside", "lower lip, inside") / wide,
        "jawDrop": above(middle, "below the nose", "chin"),
        "lowerLipDown": middle["lower lip"][:, 1] - corners[:, 1],
        "chinRaise": above(middle, "lower lip, inside", "chin"),
    }


def above(at: dict[str, Any], place: str, *others: str) -> Any:
    """How much higher a place is than others are on average."""
    return sum(at[other][:, 1] for other in others) / len(others) - at[place][:, 1]


def apart(at: dict[str, Any], place: str, other: str) -> Any:
    return length(at[place] - at[other])


def length(ways: Any) -> Any:
    """Of (N, 3), each (N,)."""
    return (ways * ways).sum(1) ** 0.5
