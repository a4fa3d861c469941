"""Face landmarks: the 468 points of MediaPipe's face mesh.

The network is MediaPipe 0.10.21's ``face_landmark.tflite``, unchanged, as ``face_mesh.tflite``
(Apache-2.0, ``face_mesh.LICENSE``): later packages carry none, and that one wants a numpy that
nothing else here can use. LiteRT runs it. It was taught by landmarks, not by emotions.
Source: Kartynnik et al. 2019, https://arxiv.org/abs/1907.06724
"""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facesort.common.job import InputError
from facesort.faces.procrustes import POINTS

MODEL: Final = Path(__file__).with_suffix(".tflite")
# Side of the network's input, in pixels.
INPUT: Final = 192
# Outer corners of the eyes.
RIGHT_EYE, LEFT_EYE = 33, 263
# The window is so much wider than the face, as in MediaPipe's own pipeline.
MARGIN: Final = 1.5
# The first window is that much wider than the picture; each later one is put by the points found.
PASSES: Final = 3


class FaceMesh:
    """Finds the landmarks of faces that are cut out already.

    A face detector is not needed: a first look at the whole picture, with a margin, gives points
    good enough to put the next window, turned so that the eyes are level.

    Args:
        threads: CPU threads of the network.

    Raises:
        InputError: if the model's file is damaged.
    """

    def __init__(self, threads: int) -> None:
        # Slow to import, and only found in the environment of the rules that need it.
        from ai_edge_litert.interpreter import Interpreter

        try:
            self.network: Any = Interpreter(str(MODEL), num_threads=threads)
            self.network.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{MODEL}: not a readable model ({error}); restore it") from None
        self.input = self.network.get_input_details()[0]["index"]
        self.points, self.presence = (o["index"] for o in self.network.get_output_details())

    def find(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks of faces.

        Args:
            faces: uint8 (N, H, W, 1 or 3), RGB.

        Returns:
            float32 (N, 468, 3): x to the right and y downwards in pixels of the face's picture,
            and z away from the viewer on the same scale; and float32 (N,), how sure the network is
            that there is a face (0 to 1).
        """
        points = np.empty((len(faces), POINTS, 3), np.float32)
        sure = np.empty(len(faces), np.float32)
        for row, face in enumerate(faces):
            picture = face if face.shape[2] == 3 else np.repeat(face, 3, axis=2)
            height, width = picture.shape[:2]
            middle, side, angle = np.array([width, height]) / 2, MARGIN * max(height, width), 0.0
            for _ in range(PASSES):
                found, sure[row] = self._look(picture, window(middle, side, angle))
                middle, side, angle = around(found)
            points[row] = found
        return points, sure

    def _look(self, picture: np.ndarray, to_input: np.ndarray) -> tuple[np.ndarray, float]:
        """Points in the picture's pixels, seen through a window, and how sure they are."""
        cut = cv2.warpAffine(
            picture,
            to_input,
            (INPUT, INPUT),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        self.network.set_tensor(self.input, cut[None].astype(np.float32) / 255)
        self.network.invoke()
        seen = self.network.get_tensor(self.points).reshape(POINTS, 3)
        logit = float(self.network.get_tensor(self.presence).item())
        return undo(to_input, seen), 1 / (1 + np.exp(-np.clip(logit, -60, 60)))


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
    """Points (468, 3) of the network's input, in pixels of the picture."""
    turn, shift = to_input[:, :2], to_input[:, 2]
    flat = (points[:, :2] - shift) @ np.linalg.inv(turn).T
    return np.column_stack([flat, points[:, 2] / np.sqrt(np.linalg.det(turn))])


def around(points: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Middle, side and angle of the window around landmarks (468, 3), its x axis along the eyes."""
    across = points[LEFT_EYE, :2] - points[RIGHT_EYE, :2]
    angle = float(np.arctan2(across[1], across[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    level = points[:, :2] @ turn.T
    low, high = level.min(0), level.max(0)
    return (low + high) / 2 @ turn, MARGIN * float((high - low).max()), angle
