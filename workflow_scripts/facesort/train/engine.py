"""Training: an epoch, and phases of epochs that go on where a stopped run ended.

The models say what their phases may change (``phase_parameters``) and what a batch costs;
``batches.py`` brings the faces; this file knows optimisers and when to stop.
"""

import json
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from facesort.common.arrays import append_array
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, Progress
from facesort.train.augment import augment
from facesort.train.batches import read_batches, shuffled_batches
from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import Device, enough_memory

PHASES = ("reconstruct", "contrast", "compare", "classify")
OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamax": torch.optim.Adamax,
    "adamw": torch.optim.AdamW,
}
WARM_UP = 0.05  # share of a phase's steps in which the cosine schedule's rate rises
AVERAGED = 0.1  # share of a phase's steps that averaged weights look back on


@dataclass(frozen=True)
class Phase:
    """One run over the data: what is learnt, from which faces, how.

    Attributes:
        name: of ``PHASES``.
        faces: uint8 (N, H, W, C), may be memory-mapped.
        rows: int64 (n,), what to learn from: rows of ``faces``, or of ``groups`` if there are any.
        labels: int64 (N,), the emotion of each face, to classify; else None.
        groups: int64 (G, k), rows of ``faces`` that are shown together, such as triplets; a batch
            holds all faces of its groups, one group after another. Else None.
        targets: float32 (N or G, ...), what ``model.phase_loss`` is told of each row; else None.
        augment: settings of ``facesort.train.augment``, or None for faces as they are.
        balance: 0 to 1; an emotion counts in the loss by its frequency to the power of -balance.
        face_weights: float32 (N,), what each face counts in the loss beside that, or None.
        label_smoothing: share of each label that is spread over all emotions.
        schedule: of the learning rate: "constant"; or "cosine", up to it in a short warm-up and
            then down to 0.
        weight_decay: of matrices and kernels, not of biases and the like.
        average: whether the phase ends with averaged weights (exponential moving average).
        batch_size: rows a step; None takes the run's.
    """

    name: str
    faces: np.ndarray
    rows: np.ndarray
    labels: np.ndarray | None
    epochs: int
    optimizer: str
    learning_rate: float
    groups: np.ndarray | None = None
    targets: np.ndarray | None = None
    augment: dict[str, Any] | None = None
    balance: float = 0.0
    face_weights: np.ndarray | None = None
    label_smoothing: float = 0.0
    schedule: str = "constant"
    weight_decay: float = 0.0
    average: bool = False
    batch_size: int | None = None

    @cached_property
    def emotions(self) -> np.ndarray:
        """int64 (k,), those of the faces to learn from, ascending; none without labels.

        The loss is over these alone, as if there were no others: no share of a smoothed label goes
        to an emotion that the labelled set lacks.
        """
        return np.unique([] if self.labels is None else self.labels[self.rows]).astype(np.int64)

    @cached_property
    def class_weights(self) -> np.ndarray | None:
        """float32 (8,), what a face of each counts in the loss, on average 1; None if all equal."""
        if self.labels is None or not self.balance:
            return None
        labels = self.labels[self.rows]
        weights = np.bincount(labels, minlength=len(EMOTIONS)).clip(1) ** -float(self.balance)
        return np.asarray(weights / weights[labels].mean(), np.float32)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step (from 0) of a phase of so many."""
        if self.schedule == "constant":
            return self.learning_rate
        warm = math.ceil(WARM_UP * steps)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


@dataclass(frozen=True)
class Epoch:
    """A line of ``history.jsonl``. Loss is the mean over faces; seconds are wall time."""

    phase: str
    epoch: int
    loss: float
    accuracy: float | None
    faces: int
    seconds: float


@dataclass
class Position:
    """How far an epoch has come: what a checkpoint in its midst holds besides the weights.

    The sums are float64 scalars on the device: reading one every batch would make a GPU wait.
    """

    batches: int
    seconds: float
    loss_sum: Tensor
    right_sum: Tensor

    @classmethod
    def start(cls) -> "Position":
        return cls(0, 0.0, *torch.zeros(2, dtype=torch.float64).unbind())

    def to(self, device: torch.device) -> "Position":
        return Position(
            self.batches, self.seconds, self.loss_sum.to(device), self.right_sum.to(device)
        )


def batch_loss(
    model: Any, phase: Phase, rows: np.ndarray, x: Tensor, device: Device
) -> tuple[Tensor, Tensor | None]:
    """Loss of a batch (scalar, float32), and how many faces of it are right when classifying."""
    if phase.name not in ("reconstruct", "classify"):
        told = None
        if phase.targets is not None:
            told = torch.from_numpy(phase.targets[rows]).to(device.device, non_blocking=True)
        with device.autocast():
            return model.phase_loss(phase.name, x, told), None
    if phase.labels is None:
        with device.autocast():
            last = model.reconstruct(x)
        return model.reconstruction_loss(last, x), None
    # Places among the emotions that there are; where those are all, the emotions themselves.
    target = torch.from_numpy(np.searchsorted(phase.emotions, phase.labels[rows]))
    target = target.to(device.device, non_blocking=True)
    with device.autocast():
        logits = model.classify(x)
    if len(phase.emotions) < logits.shape[1]:
        logits = logits[:, torch.from_numpy(phase.emotions).to(device.device)]
    right = (logits.argmax(1) == target).sum()
    smoothing = phase.label_smoothing
    if phase.class_weights is None and phase.face_weights is None:
        loss = nn.functional.cross_entropy(logits.float(), target, label_smoothing=smoothing)
        return loss, right
    weights = None
    if phase.class_weights is not None:
        weights = torch.from_numpy(phase.class_weights[phase.emotions])
        weights = weights.to(device.device, non_blocking=True)
    # Each face's loss, since torch's own mean would undo the weights within a batch.
    losses = nn.functional.cross_entropy(
        logits.float(), target, weights, label_smoothing=smoothing, reduction="none"
    )
    if phase.face_weights is not None:
        of_faces = torch.from_numpy(phase.face_weights[rows])
        losses = losses * of_faces.to(device.device, non_blocking=True)
    return losses.mean(), right


def train_one_epoch(
    model: Any,
    phase: Phase,
    epoch: int,
    optimizer: torch.optim.Optimizer,
    device: Device,
    batch_size: int,
    seed: int,
    progress: Progress,
    position: Position,
    save: Callable[[Position], None],
    averaged: AveragedModel | None = None,
) -> Epoch:
    """Train on every row once, in an order that seed, phase and epoch give alone.

    So are changes of faces, and all that the model draws (dropout): by these and the batch's
    number, whether the run was stopped or not.

    Args:
        position: where to go on; moved along.
        save: told the position after every batch.
        averaged: follows the model, if there is one.

    Raises:
        InputError: if the loss is not finite.
    """
    began = time.monotonic() - position.seconds
    model.train()
    order = [seed, len(phase.name), epoch]
    batches = shuffled_batches(phase.rows, batch_size, order)
    todo = islice(batches, position.batches, None)
    for rows, x in read_batches(phase.faces, todo, device.device, phase.groups):
        step = (epoch - 1) * len(batches) + position.batches
        for group in optimizer.param_groups:
            group["lr"] = phase.rate(step, phase.epochs * len(batches))
        batch_seed = [*order, 1 + position.batches]  # a 0 at the end would count as none
        torch.manual_seed(int(np.random.default_rng(batch_seed).integers(2**63)))
        if phase.augment:
            x = augment(x, phase.augment, batch_seed)
        loss, right = batch_loss(model, phase, rows, x, device)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if averaged is not None:
            averaged.update_parameters(model)
        position.loss_sum += loss.detach() * len(rows)
        if right is not None:
            position.right_sum += right
        if position.batches % 20 == 0:
            _check_finite(loss, phase, epoch)
        position.batches += 1
        position.seconds = time.monotonic() - began
        progress.update(len(rows), loss=loss.detach())
        save(position)
    mean = (position.loss_sum / len(phase.rows)).item()
    _check_finite(torch.tensor(mean), phase, epoch)
    accuracy = None if phase.labels is None else (position.right_sum / len(phase.rows)).item()
    return Epoch(phase.name, epoch, mean, accuracy, len(phase.rows), round(position.seconds, 3))


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
    checkpoint: Checkpoint,
    label: str,
    after_epoch: Callable[[str, int], None] = lambda phase, epoch: None,
) -> list[Epoch]:
    """Train the model through its phases; go on from the checkpoint if one is there.

    Args:
        model: on the CPU; moved to the device, and left there.
        label: the cell, for a line an epoch.
        after_epoch: told the phase's name and the epoch (from 1) after each.

    Returns:
        One ``Epoch`` for each epoch of each phase, those before a restart included.

    Raises:
        InputError: if a loss is not finite, or memory is too small.
    """
    with enough_memory(device.device):
        # Channels-last weights spare the convolutions a conversion each.
        model.to(device.device, memory_format=torch.channels_last)
        saved = checkpoint.load()
        history = [Epoch(**line) for line in saved["history"]] if saved else []
        position = Position(**saved["position"]) if saved else Position.start()
        if saved:
            print(f"{label}: going on after {len(history)} epochs and {position.batches} batches")
            model.load_state_dict(saved["model"])
        for phase in phases:
            done = sum(line.phase == phase.name for line in history)
            if done == phase.epochs:
                continue
            optimizer = new_optimizer(model, phase)
            size = phase.batch_size or batch_size
            averaged = new_average(model, phase, size) if phase.average else None
            if saved and saved["optimizer"]:
                optimizer.load_state_dict(saved["optimizer"])
            if saved and saved["averaged"] and averaged is not None:
                averaged.load_state_dict(saved["averaged"])
            saved = None
            progress = Progress(
                len(phase.rows),
                phase.name,
                "faces" if phase.groups is None else "comparisons",
                rounds=phase.epochs,
                start=done * len(phase.rows) + position.batches * size,
            )

            def save(
                position: Position,
                optimizer: torch.optim.Optimizer = optimizer,
                averaged: AveragedModel | None = averaged,
            ) -> None:
                if checkpoint.due():
                    checkpoint.save(
                        {
                            "model": model.state_dict(),
                            "optimizer": optimizer.state_dict(),
                            "averaged": averaged.state_dict() if averaged is not None else None,
                            "history": [asdict(line) for line in history],
                            "position": asdict(position),
                        }
                    )

            for epoch in range(done + 1, phase.epochs + 1):
                line = train_one_epoch(
                    model,
                    phase,
                    epoch,
                    optimizer,
                    device,
                    size,
                    seed,
                    progress,
                    position.to(device.device),
                    save,
                    averaged,
                )
                history.append(line)
                position = Position.start()
                accuracy = "" if line.accuracy is None else f", accuracy {line.accuracy:.3f}"
                print(
                    f"{label} {phase.name}: epoch {epoch} of {phase.epochs} done, "
                    f"loss {line.loss:.4f}{accuracy}"
                )
                after_epoch(phase.name, epoch)
            if averaged is not None:
                model.load_state_dict(averaged.module.state_dict())
        return history


def new_optimizer(model: Any, phase: Phase) -> torch.optim.Optimizer:
    """The phase's optimiser, in the form that makes the fewest passes over memory."""
    parameters = model.phase_parameters(phase.name)
    decayed = [each for each in parameters if each.ndim > 1]
    rest = [each for each in parameters if each.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": phase.weight_decay}, {"params": rest}]
    return OPTIMIZERS[phase.optimizer](
        groups if phase.weight_decay else parameters,
        lr=phase.learning_rate,
        eps=1e-7,  # Keras's
        weight_decay=0.0,  # which is AdamW's to know
        **({"foreach": True} if phase.optimizer == "adamax" else {"fused": True}),
    )


def new_average(model: Any, phase: Phase, batch_size: int) -> AveragedModel:
    """A copy of the model whose weights follow it with a delay."""
    steps = phase.epochs * math.ceil(len(phase.rows) / batch_size)
    decay = max(0.0, 1 - 1 / (AVERAGED * steps))
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def write_history(history: list[Epoch], path: Path) -> None:
    """Write one JSON line an epoch."""
    path.write_text("".join(json.dumps(asdict(line)) + "\n" for line in history), encoding="utf-8")


@torch.no_grad()
def apply_in_batches(
    function: Callable[[Tensor], Tensor],
    faces: np.ndarray,
    path: str | Path,
    device: Device,
    batch_size: int,
) -> None:
    """Write ``function(x)`` of every face to a ``.npy`` file, batch by batch.

    Args:
        function: from float (B, C, H, W) to float (B, D).
        faces: uint8 (N, H, W, C), at least one.
        path: for float32 (N, D).
    """
    progress = Progress(len(faces), Path(path).stem)
    rows = np.arange(len(faces))
    batches = (rows[start : start + batch_size] for start in range(0, len(rows), batch_size))
    with enough_memory(device.device), ExitStack() as stack:
        out = None
        for batch, x in read_batches(faces, batches, device.device):
            with device.autocast():
                result = function(x).float().cpu().numpy()
            if out is None:
                shape = (len(faces), result.shape[1])
                out = stack.enter_context(append_array(path, shape, "float32"))
            out.write(np.ascontiguousarray(result).data)
            progress.update(len(batch))
    progress.close()
