"""From pictures of faces to landmarks, strengths of movements and answers, as one module of torch.

The same numbers as those of ``faces/face_mesh.py``, ``faces/movements.py`` and ``faces/spread.py``,
in operators that ONNX has. What is usual in a set of faces, against which movements are set, is
that of the pool, once and for all: a single photo has no spread of its own.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from facesort.export.litert import LiteRT
from facesort.faces import face_blendshapes, face_mesh, facs
from facesort.faces.canonical_face import canonical_face
from facesort.faces.face_mesh import INPUT
from facesort.faces.movements import measures, place_means
from facesort.faces.procrustes import POINTS
from facesort.faces.spread import MOST, Spread
from facesort.train.models.shape import polar


class Landmarks(nn.Module):
    """Landmarks of faces seen through windows (``face_mesh.window``)."""

    def __init__(self) -> None:
        super().__init__()
        self.mesh = LiteRT(face_mesh.MODEL, channels_first=True)

    def forward(self, faces: Tensor, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Look at faces.

        Args:
            faces: uint8 (B, 256, 256, 3), RGB, what the windows show.
            windows: float32 (B, 2, 3), maps from a picture's pixels to those of ``faces``.

        Returns:
            float32 (B, 478, 3), in pixels of the picture, as of ``FaceMesh.find``; and (B,), how
            sure the network is of a face (0 to 1).
        """
        points, logits, *_ = self.mesh(faces.permute(0, 3, 1, 2).float() / 255)
        points = points.reshape(-1, POINTS, 3)
        turn, shift = windows[:, :, :2], windows[:, :, 2]
        # Of a turn and a size, the inverse is the transpose by the size squared.
        square = (turn[:, 0] * turn[:, 0]).sum(1)[:, None, None]
        flat = (points[:, :, :2] - shift[:, None]) @ turn / square
        return torch.cat([flat, points[:, :, 2:] / square**0.5], 2), logits.reshape(-1).sigmoid()


class Movements(nn.Module):
    """Strengths of movements of landmarks, as of ``movements.movements``."""

    goal: Tensor
    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.blendshapes = LiteRT(face_blendshapes.MODEL, channels_first=False)
        goal = canonical_face()
        self.register_buffer("goal", torch.from_numpy(goal - goal.mean(0)).float())
        self.register_buffer("means", torch.from_numpy(place_means()).float())

    def forward(self, points: Tensor) -> Tensor:
        """float32 (B, movements), in the order of ``facs.columns``, of landmarks (B, 478, 3)."""
        told = self.blendshapes(points[:, face_blendshapes.SEEN.tolist(), :2])[0]
        found = dict(zip(face_blendshapes.BLENDSHAPES, told[:, 1:].unbind(1), strict=True))
        shapes = points[:, : len(self.goal)]
        shapes = shapes - shapes.mean(1, keepdim=True)
        turns = polar(shapes.transpose(1, 2) @ self.goal)
        found |= measures(points, turns, self.means)
        turned = {
            "headYaw": turns[:, 2, 0].clamp(-1, 1).asin(),
            "headPitch": torch.atan2(-turns[:, 2, 1], turns[:, 2, 2]),
            "headRoll": torch.atan2(turns[:, 1, 0], turns[:, 0, 0]),
        }
        found |= {name: angle * (180 / math.pi) for name, angle in turned.items()}
        return torch.stack([found[name] for name in facs.columns(facs.table())], 1)


class AgainstUsual(nn.Module):
    """Strengths set against what is usual in a set of faces; the same numbers as ``Spread`` gives.

    Args:
        usual: of that set.
    """

    middle: Tensor
    slopes: Tensor
    median: Tensor
    weight: Tensor

    def __init__(self, usual: Spread) -> None:
        super().__init__()
        slopes = np.zeros((len(usual.middle), len(usual.median)))
        slopes[:, usual.moved] = usual.slopes
        moves = usual.spread > 0
        weight = np.where(moves, 1 / np.where(moves, usual.spread, 1), 0)
        self.head = usual.head.tolist()
        for name, values in (
            ("middle", usual.middle),
            ("slopes", slopes),
            ("median", usual.median),
            ("weight", weight),
        ):
            self.register_buffer(name, torch.from_numpy(values).float())

    def forward(self, strengths: Tensor) -> Tensor:
        sines = (strengths[:, self.head] * (math.pi / 180)).sin()
        products = [sines[:, i] * sines[:, j] for i in range(3) for j in range(i, 3)]
        terms = torch.cat([sines, torch.stack(products, 1)], 1) - self.middle
        level = strengths - terms @ self.slopes
        return ((level - self.median) * self.weight).clamp(-MOST, MOST)


class ByLandmarks(nn.Module):
    """A model that sees landmarks, with the network that finds them.

    Args:
        model: kept with it, so that its weights are.
        tell: from what the model sees to probabilities, float (B, 8).
    """

    def __init__(self, model: nn.Module, tell: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.look, self.model, self.tell = Landmarks(), model, tell

    def forward(self, faces: Tensor, windows: Tensor) -> tuple[Tensor, ...]:
        """As ``views.OUTPUTS`` has them; arguments are those of ``Landmarks``."""
        points, presence = self.look(faces, windows)
        return self.tell(points), presence, points


class ByMovements(ByLandmarks):
    """A model that sees movements, with all that tells them.

    Args:
        usual: what is usual in the pool.
    """

    def __init__(self, model: nn.Module, tell: Callable[[Tensor], Tensor], usual: Spread) -> None:
        super().__init__(model, tell)
        self.movements, self.against_usual = Movements(), AgainstUsual(usual)

    def forward(self, faces: Tensor, windows: Tensor) -> tuple[Tensor, ...]:
        """As ``views.OUTPUTS`` has them."""
        points, presence = self.look(faces, windows)
        strengths = self.movements(points)
        return self.tell(self.against_usual(strengths)), presence, points, strengths


def windows_of(pictures: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the network shall see of faces whose landmarks are known.

    Args:
        pictures: uint8 (N, H, W, 1 or 3).
        points: float (N, 478, 3), landmarks in their pixels.

    Returns:
        Both arguments of ``Landmarks``, the second as float32.
    """
    seen = np.empty((len(pictures), INPUT, INPUT, 3), np.uint8)
    windows = np.empty((len(pictures), 2, 3))
    for row, (picture, shape) in enumerate(zip(pictures, points, strict=True)):
        windows[row] = face_mesh.window(*face_mesh.around(shape.astype(np.float64)))
        seen[row] = face_mesh.through(picture, windows[row])
    return seen, windows.astype(np.float32)
