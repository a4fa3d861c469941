"""Strengths of movements: what a face does, its head's turn and its gaze, told from landmarks.

Two sources: MediaPipe's blendshapes (``face_blendshapes.py``), and measures of our own, heights and
distances of landmarks, for what the blendshapes hardly find. A movement of both sides has a column
each, whose name ends in Left or Right: the person's, as in MediaPipe's names. No label is used.
``facs.csv`` tells of each movement which action unit it is of (the Facial Action Coding
System's number) and how well it is found on rendered faces, whose action units are known.
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.faces import facs
from facesort.faces.canonical_face import angles, head_rotations
from facesort.faces.face_blendshapes import BLENDSHAPES, blendshapes
from facesort.faces.spread import MOST, median_and_spread

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


def measures(points: np.ndarray, turns: np.ndarray) -> dict[str, np.ndarray]:
    """Movements of our own, each (N,), stronger where the face moves more.

    Args:
        points: float (N, 478, 3), landmarks.
        turns: float (N, 3, 3), as of ``head_rotations``.
    """
    upright = (points - points.mean(1, keepdims=True)).astype(np.float64) @ turns
    eyes_apart = np.linalg.norm(upright[:, 33] - upright[:, 263], axis=1)
    upright /= np.maximum(eyes_apart, 1e-9)[:, None, None]
    middle = {name: upright[:, at].mean(1) for name, at in MIDDLE.items()}
    found: dict[str, np.ndarray] = {}
    widths = []
    for side, name in enumerate(facs.SIDES):
        at = middle | {place: upright[:, both[side]].mean(1) for place, both in PAIRED.items()}
        eye = apart(at, "inner eye corner", "outer eye corner")
        gaze = (at["iris"] - at["eye corners"]) / np.maximum(eye, 1e-9)[:, None]
        widths.append(abs(at["lip corner"] - at["upper lip"])[:, 0])
        found |= {
            f"browOblique{name}": above(at, "inner brow end", "outer brow end"),
            f"browArch{name}": above(at, "middle of the brow", "inner brow end", "outer brow end"),
            f"browOuterRaise{name}": above(at, "outer brow", "outer eye corner"),
            f"browLower{name}": above(at, "inner eye corner", "inner brow"),
            f"eyeOpening{name}": above(at, "upper lid", "lower lid") / np.maximum(eye, 1e-9),
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
    wide = np.maximum(widths[0] + widths[1], 1e-9)
    right, left = (upright[:, points].mean(1) for points in PAIRED["inner brow end"])
    lips = above(middle, "upper lip", "lower lip") - above(
        middle, "upper lip, inside", "lower lip, inside"
    )
    corners = upright[:, [61, 291]].mean(1)
    return found | {
        "browKnit": -np.linalg.norm(right - left, axis=1),
        "noseShorten": right[:, 1] / 2 + left[:, 1] / 2 - middle["nose tip"][:, 1],
        "lipsThin": -lips,
        "mouthOpening": above(middle, "upper lip, inside", "lower lip, inside") / wide,
        "jawDrop": above(middle, "below the nose", "chin"),
        "lowerLipDown": middle["lower lip"][:, 1] - corners[:, 1],
        "chinRaise": above(middle, "lower lip, inside", "chin"),
    }


def above(at: dict[str, np.ndarray], place: str, *others: str) -> np.ndarray:
    """How much higher a place is than others are on average."""
    found: np.ndarray = sum(at[other][:, 1] for other in others) / len(others) - at[place][:, 1]
    return found


def apart(at: dict[str, np.ndarray], place: str, other: str) -> np.ndarray:
    found: np.ndarray = np.linalg.norm(at[place] - at[other], axis=1)
    return found


def standardised(strengths: pd.DataFrame, presence: np.ndarray) -> np.ndarray:
    """Movements set against their own set's median and spread, its faces' turn taken out.

    What a turned head still changes in a strength (a regression on yaw, pitch and roll and their
    products over the faces of the set) is subtracted. No label is used.

    Args:
        strengths: as of ``movements``.
        presence: float (N,), as of ``FaceMesh.find``. Faces without presence have strengths too,
            but say nothing of medians and spreads.

    Returns:
        float32 (N, columns), from -4 to 4; a column that is the same for nearly all faces is 0.
    """
    values = strengths.to_numpy(np.float64, copy=True)
    seen = presence > facs.PRESENT
    if not seen.any():
        return np.zeros(values.shape, np.float32)
    head = np.flatnonzero(strengths.columns.isin(["headYaw", "headPitch", "headRoll"]))
    sines = np.sin(np.radians(values[:, head]))
    products = [sines[:, i] * sines[:, j] for i in range(3) for j in range(i, 3)]
    terms = np.column_stack([sines, *products])
    terms -= terms[seen].mean(0)
    # A little ridge: few faces may not tell nine terms apart.
    gram = terms[seen].T @ terms[seen] + 1e-3 * np.eye(terms.shape[1])
    moved = np.setdiff1d(np.arange(values.shape[1]), head)
    apart = values[seen][:, moved] - values[seen][:, moved].mean(0)
    values[:, moved] -= terms @ np.linalg.solve(gram, terms[seen].T @ apart)
    median, spread = median_and_spread(values[seen])
    moves = spread > 0
    found = np.where(moves, values - median, 0) / np.where(moves, spread, 1)
    return np.clip(found, -MOST, MOST).astype(np.float32)
