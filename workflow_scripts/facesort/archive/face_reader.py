"""What a face in a photo does, its turn and its sharpness; and why a face is not answered.

One look of the face mesh does: five points of the detector put its window. On 86 faces of
photographs the points then lie .8% of the eyes' distance from where further looks put them. Only
where the points found would move the window by much does the network look again.
"""

from dataclasses import astuple, dataclass
from typing import Final

import cv2
import numpy as np

from facesort.archive.face_detector import SURE, eye_angles
from facesort.archive.tables import FOUND, MOVEMENTS
from facesort.faces.canonical_face import angles, head_rotations
from facesort.faces.face_mesh import (
    INPUT,
    MODEL,
    NEAR,
    Window,
    around,
    change,
    look,
    network,
    window,
)
from facesort.faces.facs import PRESENT
from facesort.faces.movements import movements
from facesort.faces.procrustes import POINTS

# The window's side against the detector's points: eyes apart and mouth below, as a right triangle.
SIDE: Final = 2.6
# Landmarks of the detector's points (of each eye its corners), as seen.
DETECTED: Final = ((33, 133), (263, 362), (1, 4), (61,), (291,))
# The mesh and the detector must agree on these so well, as a share of the eyes' distance.
AGREE: Final = 0.35
# From here on a face is turned too far, degrees. Movements were tried on rendered faces to 30.
TURNED: Final = 35.0
# Below it is blurred. A blur by 2% of the face's width gives .06: smiles still correlate by .97
# with those of the sharp face, blinks by .73. One by 3% gives .03: smiles .85, blinks .58.
SHARP: Final = 0.045
# Side of the square that sharpness is measured on, pixels.
MEASURED: Final = 64
# A face of fewer pixels is read from the photo at a larger size, where it was decoded at a smaller.
ENOUGH: Final = 72


@dataclass
class Reading:
    """What was seen of the faces of one photo.

    Attributes:
        points: float64 (N, 478, 3), pixels of the photo as it was given; NaN if not looked at.
        level: the same with the eyes level.
        rolls: (N,), degrees by which the eyes are not level, clockwise as seen.
        presence: (N,), how sure the network is of a face, 0 to 1; NaN if not looked at.
        sharpness: (N,), as of ``sharpness``; NaN if not looked at.
    """

    points: np.ndarray
    level: np.ndarray
    rolls: np.ndarray
    presence: np.ndarray
    sharpness: np.ndarray

    @classmethod
    def joined(cls, readings: "list[Reading]") -> "Reading":
        """Those of several photos, one after the other."""
        return cls(*(np.concatenate(parts) for parts in zip(*map(astuple, readings), strict=True)))


class FaceReader:
    """Reads faces; holds the mesh's network.

    Args:
        least: faces whose shorter side has fewer pixels of the photo are not looked at.
    """

    def __init__(self, least: float) -> None:
        self.least = least
        self.network = network(MODEL)

    def read(self, photo: np.ndarray, faces: np.ndarray, scale: float) -> Reading:
        """Look at the faces of a photo.

        Args:
            photo: uint8 (H, W, 3), RGB.
            faces: float (N, 15), as of ``FaceDetector.find``.
            scale: pixels of the whole photo that one of these pixels is.
        """
        count = len(faces)
        points = np.full((count, POINTS, 3), np.nan)
        level, (rolls, presence, sharp) = points.copy(), np.full((3, count), np.nan)
        for row, face in enumerate(faces):
            if min(face[2:4]) * scale < self.least:
                continue
            view = first_window(face)
            points[row], logit = self._look(photo, view)
            if logit > 0 and change(view, again := around(points[row])) > NEAR:
                view = again
                points[row], logit = self._look(photo, view)
            presence[row] = 1 / (1 + np.exp(-np.clip(logit, -60, 60)))
            # What lies elsewhere than the detector says is another face, or none.
            if not agree(points[row], face[5:].reshape(5, 2)):
                presence[row] = min(presence[row], PRESENT)
            angle = view[2]
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            level[row] = np.column_stack([points[row, :, :2] @ turn.T, points[row, :, 2]])
            rolls[row] = np.degrees(angle)
            sharp[row] = sharpness(photo, face[:4])
        return Reading(points, level, rolls, presence, sharp)

    def _look(self, photo: np.ndarray, view: Window) -> tuple[np.ndarray, float]:
        # What is made smaller needs no more than that, and takes a fifth of the time.
        way = cv2.INTER_LINEAR if view[1] > INPUT else cv2.INTER_CUBIC
        return look(self.network, photo, window(*view), way)


def sure_faces(faces: np.ndarray, reading: Reading) -> np.ndarray:
    """Whether each is surely a face: by the mesh, or by the detector where that has not looked."""
    with np.errstate(invalid="ignore"):
        seen = reading.presence > PRESENT
    found: np.ndarray = np.where(np.isnan(reading.presence), faces[:, 4] > SURE, seen)
    return found


def upright(faces: np.ndarray) -> np.ndarray:
    """Whether each face stands upright, within 60 degrees."""
    found: np.ndarray = np.cos(eye_angles(faces)) > 0.5
    return found


def first_window(face: np.ndarray) -> Window:
    """Middle, side and angle of the mesh's window, of one face as the detector gives it."""
    left, top, wide, high = face[:4].astype(float)
    points = face[5:].reshape(5, 2).astype(float)
    eyes, below = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    angle = float(np.arctan2(eyes[1], eyes[0]))
    across = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-across[1], across[0]])
    box = np.array([left + wide / 2, top + high / 2])
    middle = (box @ across) * across + (points.mean(0) @ down) * down
    return middle, SIDE * float(np.hypot(np.hypot(*eyes), np.hypot(*below))), angle


def agree(points: np.ndarray, detected: np.ndarray) -> bool:
    """Whether landmarks (478, 3) lie where the detector's five points (5, 2) do."""
    mesh = np.stack([points[list(at), :2].mean(0) for at in DETECTED])
    eyes, below = mesh[1] - mesh[0], mesh[3:].mean(0) - mesh[:2].mean(0)
    apart = max(np.linalg.norm(eyes), np.linalg.norm(below))
    return bool(np.linalg.norm(mesh - detected, axis=1).mean() < AGREE * apart)


def sharpness(photo: np.ndarray, box: np.ndarray) -> float:
    """How much of a face's contrast is between neighbouring pixels of 64 across it.

    The variance of the Laplacian (Pech-Pacheco et al. 2000,
    https://doi.org/10.1109/ICPR.2000.903548) over that of the face.
    """
    left, top = np.maximum(np.floor(box[:2]), 0).astype(int)
    right, bottom = np.maximum(np.ceil(box[:2] + box[2:]), 0).astype(int)
    part = photo[top:bottom, left:right]
    if not part.size:
        return 0.0
    way = cv2.INTER_AREA if min(part.shape[:2]) > MEASURED else cv2.INTER_CUBIC
    part = cv2.resize(part, (MEASURED, MEASURED), interpolation=way)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))


def numbers(faces: np.ndarray, reading: Reading) -> np.ndarray:
    """What the journal keeps of faces: float32 (N, ``FOUND`` and ``MOVEMENTS``).

    Args:
        faces: float (N, 15), in pixels of their whole photos.
    """
    found = np.full((len(faces), len(FOUND) + len(MOVEMENTS)), np.nan, np.float32)
    found[:, : faces.shape[1]] = faces
    looked = ~np.isnan(reading.presence)
    at = FOUND.index("yaw")
    if looked.any():
        turns = angles(head_rotations(reading.level[looked]))
        found[looked, at] = turns["headYaw"]
        found[looked, at + 1] = turns["headPitch"]
        rolls = turns["headRoll"] + reading.rolls[looked]
        found[looked, at + 2] = (rolls + 180) % 360 - 180
        found[looked, len(FOUND) :] = movements(reading.level[looked]).to_numpy()
    found[:, FOUND.index("sharpness")] = reading.sharpness
    found[:, FOUND.index("presence")] = reading.presence
    found[:, FOUND.index("size")] = faces[:, 2:4].min(1, initial=np.inf)
    return found


def states(found: np.ndarray, least: float) -> np.ndarray:
    """Whether each face is answered, or why not: one of ``tables.STATES``, (N,) of objects.

    Args:
        found: float (N, ``FOUND``...), as of ``numbers``.
        least: pixels that the shorter side must have.
    """
    column = {name: found[:, at] for at, name in enumerate(FOUND)}
    with np.errstate(invalid="ignore"):
        reasons = {
            "small": (column["size"] < least) | np.isnan(column["presence"]),
            "covered": ~(column["presence"] > PRESENT),
            "turned": np.maximum(abs(column["yaw"]), abs(column["pitch"])) > TURNED,
            "blurred": ~(column["sharpness"] >= SHARP),
        }
    return np.select(list(reasons.values()), list(reasons), "answered").astype(object)
