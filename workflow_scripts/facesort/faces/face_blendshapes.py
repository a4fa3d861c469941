"""Blendshapes: strengths of 51 movements of the face, told from landmarks by MediaPipe's network.

The network is ``face_blendshapes.tflite`` of MediaPipe's ``face_landmarker.task``, the bundle that
``face_mesh.py`` names, unchanged (Apache-2.0, ``mediapipe.LICENSE``). LiteRT runs it. It was taught
by motion capture, not by emotions.
Source: Grishchenko et al. 2023, https://arxiv.org/abs/2309.05782
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from facesort.faces.face_mesh import network

MODEL: Final = Path(__file__).with_suffix(".tflite")
# What it answers, in its order, after a first number that means nothing. Left is the person's left.
BLENDSHAPES: Final = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight"),
    *("eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight"),
    *("eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    *("eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel"),
    *("mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight"),
)
# The landmarks that it sees, in its order.
SEEN: Final = np.array([
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65),
    *(66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136),
    *(144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168),
    *(172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276),
    *(282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318),
    *(321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380),
    *(381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466),
    *range(468, 478),
])  # fmt: skip


def blendshapes(points: np.ndarray, threads: int = 1) -> np.ndarray:
    """The strengths of ``BLENDSHAPES``.

    Args:
        points: float (N, 478, 3), landmarks in pixels of any size; z is not looked at.
        threads: faces at a time. The network takes one face at a time, and no batch.

    Returns:
        float32 (N, 51), 0 to 1.

    Raises:
        InputError: if the model's file is damaged.
    """
    seen = np.ascontiguousarray(points[:, SEEN, :2], np.float32)
    found = np.empty((len(seen), len(BLENDSHAPES)), np.float32)

    def work(first: int) -> None:
        tells = network(MODEL)
        put, get = tells.get_input_details()[0]["index"], tells.get_output_details()[0]["index"]
        for row in range(first, len(seen), threads):
            tells.set_tensor(put, seen[row, None])
            tells.invoke()
            found[row] = tells.get_tensor(get)[1:]

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return found
