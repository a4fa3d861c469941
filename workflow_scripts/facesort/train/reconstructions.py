"""What an autoencoder makes of the same few faces as it learns (figures 6 and 8)."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from facesort.train.batches import FaceReader, to_input
from facesort.train.devices import Device
from facesort.train.engine import Phase

SHOWN = 16


class Reconstructions:
    """Takes pictures after the first, the middle and the last epoch of the phase "reconstruct".

    They wait in a folder, so that a run that goes on after a stop still has the early ones.

    Args:
        model: with ``reconstruct`` and ``activate``, if the first phase is "reconstruct".
        phases: from the first one's rows ``SHOWN`` faces are taken, evenly spread.
        folder: of this run's own.
    """

    def __init__(self, model: Any, phases: list[Phase], device: Device, folder: Path) -> None:
        self.model, self.device, self.folder = model, device, folder
        self.epochs: list[int] = []
        if phases and phases[0].name == "reconstruct":
            phase = phases[0]
            self.epochs = sorted({1, (phase.epochs + 1) // 2, phase.epochs})
            places = np.linspace(0, len(phase.rows) - 1, min(SHOWN, len(phase.rows))).astype(int)
            self.faces = FaceReader(phase.faces).read(phase.rows[places])

    def after_epoch(self, phase: str, epoch: int) -> None:
        if phase == "reconstruct" and epoch in self.epochs:
            self.folder.mkdir(parents=True, exist_ok=True)
            np.save(self._path(epoch), self._take())

    def all(self) -> np.ndarray | None:
        """uint8 (faces, 1 + epochs, H, W, C), originals first; None if the model makes none."""
        if not self.epochs:
            return None
        taken = [np.load(self._path(epoch), allow_pickle=False) for epoch in self.epochs]
        return np.stack([self.faces, *taken], axis=1)

    def _path(self, epoch: int) -> Path:
        return self.folder / f"reconstructions{epoch}.npy"

    @torch.no_grad()
    def _take(self) -> np.ndarray:
        with self.device.autocast():
            last = self.model.reconstruct(to_input(self.faces, self.device.device))
        pixels = self.model.activate(last.float()).permute(0, 2, 3, 1).cpu().numpy()
        return (pixels * 255).round().astype(np.uint8)
