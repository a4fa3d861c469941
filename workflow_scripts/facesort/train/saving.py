"""A finished model on disk: a folder with weights (safetensors), its making, and its history."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from facesort.common.job import InputError
from facesort.common.open_files import used_up
from facesort.train.devices import Device, choose_device, enough_memory
from facesort.train.engine import Epoch, write_history
from facesort.train.models import build


def save_model(
    folder: Path,
    model: nn.Module,
    about: dict[str, Any],
    history: list[Epoch],
    reconstructions: np.ndarray | None = None,
) -> None:
    """Write ``weights.safetensors``, ``model.json`` and ``history.jsonl``; whole or not at all.

    Args:
        about: what made the model; must hold ``model``, ``shape`` and ``settings``, from which
            ``load_model`` builds it again.
        reconstructions: uint8 (faces, 1 + epochs, H, W, C), fixed faces and what became of them
            after some epochs: ``reconstructions.npy``; None if the model makes none.
    """
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    weights = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, part / "weights.safetensors")
    (part / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    write_history(history, part / "history.jsonl")
    if reconstructions is not None:
        np.save(part / "reconstructions.npy", reconstructions)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)


def load_model(folder: str | Path) -> tuple[Any, dict[str, Any]]:
    """Build a saved model again. Nothing in the folder is ever run as code.

    Returns:
        The model on the CPU, in evaluation mode, and its ``model.json``.

    Raises:
        InputError: if a file is missing, damaged, or the weights are not this model's.
    """
    folder = Path(folder)
    try:
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        model = build(about["model"], tuple(about["shape"]), about["settings"])
        model.load_state_dict(load_file(folder / "weights.safetensors"))
    except OSError as error:
        raise InputError(f"{folder}: {used_up(error) or error}") from None
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{folder}: not a model of this workflow ({reason})") from None
    return model.eval(), about


def load_for_use(
    folder: str | Path, training: dict[str, Any], threads: int
) -> tuple[Any, dict[str, Any], Device]:
    """A saved model on the best device, its ``model.json``, and that device."""
    device = choose_device(training, threads)
    model, about = load_model(folder)
    with enough_memory(device.device):
        model.to(device.device, memory_format=torch.channels_last)
    return model, about, device
