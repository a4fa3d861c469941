"""Random changes of faces that leave their expression: a batch at a time, on its device.

Each face of a batch has changes of its own. They depend on the seed and the face's place in the
batch alone, the same on every device, and on no state: a run that goes on after a stop draws what
it would have drawn.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

# A face is erased with this probability; so Zhong et al. (2017), https://arxiv.org/abs/1708.04896.
ERASED = 0.5


def augment(x: Tensor, settings: dict[str, Any], seed: list[int]) -> Tensor:
    """Change the faces of a batch.

    Args:
        x: float (B, C, H, W) in [0, 1].
        settings: what may happen; what is absent, false or 0 does not.
            flip: mirrored, every second face.
            shift: moved by up to this share of the side, along each axis.
            rotate: turned by up to so many degrees.
            scale: enlarged or shrunk by up to this share.
            brightness: made brighter or darker by up to this share of white.
            contrast: distances from the face's mean changed by up to this share.
            gamma: raised to powers from exp(-gamma) to exp(gamma): darker and lighter prints.
            light: up to this share brighter on one side and darker on the other, in any direction.
            blur: mixed with the mean of 3x3 pixels by up to this share.
            erase: every second face loses a rectangle of up to this share of its area, which
                takes the face's mean.
        seed: of this batch.

    Returns:
        float (B, C, H, W) in [0, 1]; pixels from beyond the edge repeat the edge's.
    """
    # All numbers are drawn whatever is asked for: one change more leaves the others as they were.
    numbers = np.random.default_rng(seed).random((16, len(x)), np.float32)
    drawn = torch.from_numpy(numbers).to(x.device)
    flips, *moves, brightness, contrast, erased, area, aspect, across, down = drawn[:12]
    gamma, sideways, upright, blurred = drawn[12:16]
    if settings.get("flip"):
        x = torch.where((flips < 0.5)[:, None, None, None], x.flip(3), x)
    if any(settings.get(key) for key in ("shift", "rotate", "scale")):
        x = _moved(x, settings, *(2 * move - 1 for move in moves))
    if settings.get("brightness") or settings.get("contrast"):
        mean = x.mean((1, 2, 3), keepdim=True)
        factor = 1 + settings.get("contrast", 0) * (2 * contrast - 1)[:, None, None, None]
        more = settings.get("brightness", 0) * (2 * brightness - 1)[:, None, None, None]
        x = ((x - mean) * factor + mean + more).clamp(0, 1)
    if settings.get("gamma"):
        x = x ** torch.exp(settings["gamma"] * (2 * gamma - 1))[:, None, None, None]
    if settings.get("light"):
        x = _lit(x, settings["light"] * (2 * sideways - 1), settings["light"] * (2 * upright - 1))
    if settings.get("blur"):
        smooth = torch.nn.functional.avg_pool2d(
            torch.nn.functional.pad(x, (1, 1, 1, 1), "replicate"), 3, 1
        )
        x = torch.lerp(x, smooth, (settings["blur"] * blurred)[:, None, None, None])
    if settings.get("erase"):
        x = _erased(x, settings["erase"] * area * (erased < ERASED), aspect, across, down)
    return x


def _moved(
    x: Tensor, settings: dict[str, Any], right: Tensor, down: Tensor, turn: Tensor, size: Tensor
) -> Tensor:
    """Shifted, turned and scaled at once: each face by its share, in [-1, 1], of what may be."""
    scale = 1 + settings.get("scale", 0) * size
    angle = torch.deg2rad(settings.get("rotate", 0) * turn)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # From places of the new face to those of the old one; the side is 2 long.
    shift = 2 * settings.get("shift", 0)
    rows = [cos, -sin, shift * right, sin, cos, shift * down]
    grid = torch.nn.functional.affine_grid(
        torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False
    )
    moved = torch.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


def _lit(x: Tensor, sideways: Tensor, upright: Tensor) -> Tensor:
    """Brighter to the right and below by these shares at the edges, or darker."""
    rows, columns = (torch.linspace(-1, 1, side, device=x.device) for side in x.shape[2:])
    more = sideways[:, None, None] * columns + upright[:, None, None] * rows[:, None]
    return (x * (1 + more[:, None])).clamp(0, 1)


def _erased(x: Tensor, area: Tensor, aspect: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Without a rectangle of this share of the area, 1:2 to 2:1, whose middle is on the face."""
    ratio = 2 ** (2 * aspect - 1)
    inside = []
    for size, share, middle in zip(
        x.shape[2:], ((area * ratio).sqrt(), (area / ratio).sqrt()), (down, across), strict=True
    ):
        places = (torch.arange(size, device=x.device) + 0.5) / size
        inside.append((places - middle[:, None]).abs() < share[:, None] / 2)
    hole = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
    return torch.where(hole, x.mean((1, 2, 3), keepdim=True), x)
