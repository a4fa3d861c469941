"""Training: an epoch, a phase of epochs, and the checkpoint between them.

The models say what their phases may change (``phase_parameters``) and what a batch costs; this
file knows batches, optimisers and when to stop.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facesort.devices import Device
from facesort.job import InputError, Progress

OPTIMIZERS = {"adam": torch.optim.Adam, "adamax": torch.optim.Adamax}


@dataclass(frozen=True)
class Phase:
    """One run over the data: what is learnt, from which faces, how.

    Attributes:
        name: "reconstruct" or "classify".
        faces: uint8 (N, H, W, C), may be memory-mapped.
        rows: int64 (n,), the rows of ``faces`` to learn from.
        labels: int64 (N,), the emotion of each face, or None to reconstruct.
    """

    name: str
    faces: np.ndarray
    rows: np.ndarray
    labels: np.ndarray | None
    epochs: int
    optimizer: str
    learning_rate: float


@dataclass(frozen=True)
class Epoch:
    """A line of ``history.jsonl``. Loss is the mean over faces; seconds are wall time."""

    phase: str
    epoch: int
    loss: float
    accuracy: float | None
    faces: int
    seconds: float


def to_input(faces: np.ndarray, device: torch.device) -> Tensor:
    """Turn uint8 (B, H, W, C) into float32 (B, C, H, W) in [0, 1], rescaled on the device.

    The memory format stays channels-last, which is the faster one for convolutions.
    """
    batch = torch.from_numpy(np.array(faces)).to(device, non_blocking=True)
    return batch.permute(0, 3, 1, 2).float().div_(255)


def shuffled_batches(rows: np.ndarray, size: int, seed: list[int]) -> Iterator[np.ndarray]:
    """Cut the rows, shuffled by the seed, into batches; each sorted, as disks and pages like."""
    order = np.random.default_rng(seed).permutation(rows)
    for start in range(0, len(order), size):
        yield np.sort(order[start : start + size])


def batch_loss(
    model: Any, phase: Phase, rows: np.ndarray, device: Device
) -> tuple[Tensor, Tensor | None]:
    """Loss of a batch (scalar, float32), and how many faces of it are right when classifying."""
    x = to_input(phase.faces[rows], device.device)
    if phase.labels is None:
        with device.autocast():
            last = model.reconstruct(x)
        return model.reconstruction_loss(last, x), None
    target = torch.from_numpy(phase.labels[rows]).to(device.device)
    with device.autocast():
        logits = model.classify(x)
    loss = nn.functional.cross_entropy(logits.float(), target)
    return loss, (logits.argmax(1) == target).sum()


def train_one_epoch(
    model: Any,
    phase: Phase,
    epoch: int,
    optimizer: torch.optim.Optimizer,
    device: Device,
    batch_size: int,
    seed: int,
    progress: Progress,
) -> Epoch:
    """Train on every row once, in an order that seed, phase and epoch give alone.

    Raises:
        InputError: if the loss is not finite.
    """
    began = time.monotonic()
    model.train()
    # Sums stay on the device: reading one every batch would make a GPU wait.
    loss_sum = torch.zeros((), device=device.device)
    right_sum = torch.zeros((), device=device.device)
    order_seed = [seed, len(phase.name), epoch]
    for number, rows in enumerate(shuffled_batches(phase.rows, batch_size, order_seed)):
        loss, right = batch_loss(model, phase, rows, device)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        if right is not None:
            right_sum += right
        if number % 20 == 0:
            _check_finite(loss, phase, epoch)
        progress.update(len(rows), epoch=epoch)
    mean = (loss_sum / len(phase.rows)).item()
    _check_finite(torch.tensor(mean), phase, epoch)
    accuracy = None if phase.labels is None else (right_sum / len(phase.rows)).item()
    return Epoch(
        phase.name, epoch, mean, accuracy, len(phase.rows), round(time.monotonic() - began, 3)
    )


def _check_finite(loss: Tensor, phase: Phase, epoch: int) -> None:
    if not torch.isfinite(loss):
        raise InputError(
            f"training ({phase.name}, epoch {epoch}): the loss is not finite; lower the model's "
            "learning_rate or set training.precision to float32 in the config"
        )


def fit(
    model: Any,
    phases: list[Phase],
    device: Device,
    *,
    batch_size: int,
    seed: int,
    checkpoint: Path,
    identity: str,
    label: str,
) -> list[Epoch]:
    """Train the model through its phases; go on from the checkpoint if one is there.

    Args:
        model: on the CPU; moved to the device, and left there.
        checkpoint: file that is replaced after every epoch.
        identity: whatever must be equal for a checkpoint to be this run's own (data, settings,
            code, seed); another run's is ignored.
        label: for the progress line.

    Returns:
        One ``Epoch`` for each epoch of each phase, those before a restart included.
    """
    # Channels-last weights spare the convolutions a conversion each.
    model.to(device.device, memory_format=torch.channels_last)
    saved = _load_checkpoint(checkpoint, identity)
    history = [Epoch(**line) for line in saved["history"]] if saved else []
    if saved:
        print(f"{label}: going on after {len(history)} epochs")
        model.load_state_dict(saved["model"])
    for phase in phases:
        done = [line for line in history if line.phase == phase.name]
        if len(done) == phase.epochs:
            continue
        optimizer = OPTIMIZERS[phase.optimizer](
            model.phase_parameters(phase.name),
            lr=phase.learning_rate,
            eps=1e-7,  # Keras's
            **({"fused": True} if phase.optimizer == "adam" else {"foreach": True}),
        )
        if saved and done:
            optimizer.load_state_dict(saved["optimizer"])
        total = phase.epochs * len(phase.rows)
        progress = Progress(total, f"{label} ({phase.name})", start=len(done) * len(phase.rows))
        for epoch in range(len(done) + 1, phase.epochs + 1):
            line = train_one_epoch(
                model, phase, epoch, optimizer, device, batch_size, seed, progress
            )
            history.append(line)
            accuracy = "" if line.accuracy is None else f", accuracy {line.accuracy:.3f}"
            print(f"{label} ({phase.name}): epoch {epoch}, loss {line.loss:.4f}{accuracy}")
            _save_checkpoint(checkpoint, identity, model, optimizer, history)
        saved = None
    return history


def _save_checkpoint(
    path: Path,
    identity: str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    history: list[Epoch],
) -> None:
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "identity": identity,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "history": [asdict(line) for line in history],
        },
        part,
    )
    os.replace(part, path)


def _load_checkpoint(path: Path, identity: str) -> dict[str, Any] | None:
    """Read a checkpoint of this very run; anything else (foreign, cut short) counts as none."""
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return saved if saved["identity"] == identity else None
    except FileNotFoundError:
        return None
    except Exception as error:
        print(f"{path}: not a readable checkpoint ({type(error).__name__}); starting afresh")
        return None


def write_history(history: list[Epoch], path: Path) -> None:
    """Write one JSON line an epoch."""
    path.write_text("".join(json.dumps(asdict(line)) + "\n" for line in history), encoding="utf-8")


@torch.no_grad()
def apply_in_batches(
    function: Any, faces: np.ndarray, out: np.ndarray, device: Device, batch_size: int, label: str
) -> None:
    """Fill ``out`` (N, ...) with ``function(x)`` of each batch of ``faces`` (N, H, W, C), uint8."""
    progress = Progress(len(faces), label)
    for start in range(0, len(faces), batch_size):
        stop = start + batch_size
        with device.autocast():
            result = function(to_input(faces[start:stop], device.device))
        out[start:stop] = result.float().cpu().numpy()
        progress.update(min(stop, len(faces)) - start)
    progress.close()
