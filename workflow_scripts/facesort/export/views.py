"""What an exported file takes and gives, by what its model sees: pictures, landmarks, movements."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from facesort.common.arrays import open_array, read_index
from facesort.export.label_free import ByLandmarks, ByMovements, windows_of
from facesort.export.onnx_files import Inputs
from facesort.faces.face_mesh import MODEL, network, undo
from facesort.faces.movements import movements
from facesort.faces.procrustes import POINTS
from facesort.faces.spread import Spread
from facesort.train.batches import to_input

Tell = Callable[[Tensor], Tensor]
# What files give, in this order: the first alone of pictures, the last one of movements alone.
OUTPUTS: Final = {
    "faces": ("probabilities",),
    "aligned": ("probabilities",),
    "landmarks": ("probabilities", "presence", "landmarks"),
    "movements": ("probabilities", "presence", "landmarks", "strengths"),
}
BATCH: Final = 32


class ByPictures(nn.Module):
    """A model that sees pictures, given as programs have them."""

    def __init__(self, model: nn.Module, tell: Tell) -> None:
        super().__init__()
        self.model, self.tell = model, tell

    def forward(self, faces: Tensor) -> Tensor:
        """Probabilities, float32 (B, 8), of uint8 (B, H, W, C)."""
        return self.tell(faces.permute(0, 3, 1, 2).float() / 255)


def module_of(kind: str, model: nn.Module, tell: Tell, usual: Spread | None) -> nn.Module:
    """What is exported of a model.

    Args:
        kind: of its view, a key of ``OUTPUTS``.
        tell: from what it sees to probabilities, float (B, 8).
        usual: what is usual in the pool, for a model that sees movements.
    """
    if kind == "movements":
        assert usual is not None
        return ByMovements(model, tell, usual)
    return ByLandmarks(model, tell) if kind == "landmarks" else ByPictures(model, tell)


def inputs_of(kind: str, pictures: np.ndarray, landmarks: np.ndarray | None) -> Inputs:
    """What a file takes of faces, by name.

    Args:
        pictures: uint8 (N, H, W, C).
        landmarks: float (N, 478, 3) in their pixels, where the file holds the mesh.
    """
    if kind not in ("landmarks", "movements"):
        return {"faces": np.ascontiguousarray(pictures)}
    assert landmarks is not None
    return dict(zip(("faces", "windows"), windows_of(pictures, landmarks), strict=True))


def read_inputs(kind: str, pictures: str, landmarks: str | None, rows: np.ndarray) -> Inputs:
    """What a file takes of some faces, by the paths of their pictures and landmarks."""
    found = open_array(landmarks)[rows] if landmarks else None
    return inputs_of(kind, open_array(pictures)[rows], found)


def read_usual(strengths: str | None, presence: str) -> Spread | None:
    """What is usual in the pool, by the paths of its strengths and presences; None without them."""
    if not strengths:
        return None
    table = read_index(strengths)
    return Spread(table, read_index(presence, len(table))["presence"].to_numpy())


def by_workflow(kind: str, tell: Tell, usual: Spread | None, given: Inputs) -> np.ndarray:
    """What the workflow's own code answers to what a file takes: float32 (N, 8).

    LiteRT, NumPy and torch in float32 do it, each its part.
    """
    seen = given["faces"]
    if kind in ("landmarks", "movements"):
        mesh, points = network(MODEL), np.empty((len(seen), POINTS, 3), np.float32)
        put, get = mesh.get_input_details()[0]["index"], mesh.get_output_details()[0]["index"]
        for row, (face, window) in enumerate(zip(seen, given["windows"], strict=True)):
            mesh.set_tensor(put, face[None].astype(np.float32) / 255)
            mesh.invoke()
            found = mesh.get_tensor(get).reshape(POINTS, 3)
            points[row] = undo(window.astype(np.float64), found)
        seen = points
        if kind == "movements":
            assert usual is not None
            seen = usual(movements(points))
    with torch.inference_mode():
        told = [
            tell(to_input(seen[start : start + BATCH], torch.device("cpu")))
            for start in range(0, len(seen), BATCH)
        ]
    return torch.cat(told).numpy()
